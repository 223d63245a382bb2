using System.Text.Json.Nodes;
using Strongroom.Api.Resources;
using Strongroom.Arm;
using Strongroom.Backup.Machines;

namespace Strongroom.Api.Fabric;

/// <summary>The rules for hosts: a kind that a validator knows, and properties that it accepts.</summary>
public sealed class Hosts(TrackedResources resources, IEnumerable<IHostValidator> validators, ArmOptions options)
{
    public const string Type = "Strongroom.Fabric/hosts";

    /// <summary>Makes or replaces a host.</summary>
    /// <exception cref="ArmException">400: name, location, kind or a property of the kind; 409: another location.</exception>
    public Task<(TrackedResource Resource, bool IsCreated)> PutAsync(ResourceId id, JsonObject body, CancellationToken cancellationToken)
    {
        if (!ResourceNames.IsGeneralName(id.Name))
        {
            throw ArmErrors.InvalidResourceName(Type, id.Name, "1 to 80 letters, digits, dots, hyphens or underscores, beginning with a letter or digit");
        }
        string location = options.RequireLocation(body.OptionalText("location"), Type);
        IReadOnlyDictionary<string, string> tags = ResourceTags.Read(body);
        JsonObject sent = body.OptionalObject("properties") ?? throw ArmErrors.InvalidRequestContent("an object with the kind and what belongs to it is required", "$.properties");
        JsonObject properties = Accept(sent.RequiredText("kind"), sent);
        return resources.PutAsync(id, _ => TrackedResources.New(id, location, tags, properties), cancellationToken);
    }

    /// <summary>Changes tags or properties; those that are not sent stay, and so does the kind.</summary>
    /// <exception cref="ArmException">400; 404.</exception>
    public Task<TrackedResource> PatchAsync(ResourceId id, JsonObject body, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<string, string>? tags = body.HasField("tags") ? ResourceTags.Read(body) : null;
        JsonObject? sent = body.OptionalObject("properties");
        return resources.PatchAsync(id, before =>
        {
            string kind = before.Properties.RequiredText("kind");
            if (sent?.OptionalText("kind") is { } other && !other.Equals(kind, StringComparison.OrdinalIgnoreCase))
            {
                throw ArmErrors.InvalidRequestContent($"the kind of a host stays what it was, '{kind}'", "$.properties.kind");
            }
            return before with { Tags = tags ?? before.Tags, Properties = sent is null ? before.Properties : Accept(kind, PropertyMerge.Of(before.Properties, sent)) };
        }, cancellationToken);
    }

    /// <summary>Why a host that was accepted once would not be now, or null: what the operator allows may have changed since.</summary>
    public string? FindRefusal(TrackedResource host)
    {
        try
        {
            Accept(host.Properties.RequiredText("kind"), host.Properties);
            return null;
        }
        catch (ArmException refused)
        {
            return refused.Message;
        }
    }

    private JsonObject Accept(string kind, JsonObject sent)
    {
        IHostValidator validator = validators.FirstOrDefault(v => v.Kind.Equals(kind, StringComparison.OrdinalIgnoreCase))
            ?? throw ArmErrors.InvalidRequestContent($"the kind is none of {string.Join(", ", validators.Select(static v => v.Kind))}", "$.properties.kind");
        try
        {
            JsonObject accepted = validator.Accept(sent);
            accepted.Insert(0, "kind", validator.Kind);
            accepted["provisioningState"] = "Succeeded";
            return accepted;
        }
        catch (HostRefusedException refused)
        {
            throw ArmErrors.Custom(400, refused.Code, refused.Message, $"$.properties.{refused.Property}");
        }
    }
}
