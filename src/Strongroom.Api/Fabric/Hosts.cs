using System.Text.Json.Nodes;
using Strongroom.Api.Resources;
using Strongroom.Arm;
using Strongroom.Backup.Machines;

namespace Strongroom.Api.Fabric;

/// <summary>The rules for hosts: a kind that a validator knows, and a path that the operator of the server has allowed.</summary>
public sealed class Hosts(TrackedResources resources, IEnumerable<IHostValidator> validators, ArmOptions options)
{
    public const string Type = "Strongroom.Fabric/hosts";

    /// <summary>Makes or replaces a host.</summary>
    /// <exception cref="ArmException">400: name, location, kind or path; 409: another location.</exception>
    public Task<(TrackedResource Resource, bool IsCreated)> PutAsync(ResourceId id, JsonObject body, CancellationToken cancellationToken)
    {
        if (!ResourceNames.IsGeneralName(id.Name))
        {
            throw ArmErrors.InvalidResourceName(Type, id.Name, "1 to 80 letters, digits, dots, hyphens or underscores, beginning with a letter or digit");
        }
        string location = options.RequireLocation(body.OptionalText("location"), Type);
        IReadOnlyDictionary<string, string> tags = ResourceTags.Read(body);
        JsonObject sent = body.OptionalObject("properties") ?? throw ArmErrors.InvalidRequestContent("an object with kind and path is required", "$.properties");
        JsonObject properties = Accept(sent.RequiredText("kind"), sent.RequiredText("path"));
        return resources.PutAsync(id, _ => TrackedResources.New(id, location, tags, properties), cancellationToken);
    }

    /// <summary>Changes tags or the path; the kind stays.</summary>
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
            JsonObject properties = sent is not null && sent.HasField("path") ? Accept(kind, sent.RequiredText("path")) : before.Properties;
            return before with { Tags = tags ?? before.Tags, Properties = properties };
        }, cancellationToken);
    }

    private JsonObject Accept(string kind, string path)
    {
        IHostValidator validator = validators.FirstOrDefault(v => v.Kind.Equals(kind, StringComparison.OrdinalIgnoreCase))
            ?? throw ArmErrors.InvalidRequestContent($"the kind is none of {string.Join(", ", validators.Select(static v => v.Kind))}", "$.properties.kind");
        if (validator.Refuse(path) is { } reason) throw ArmErrors.Custom(400, "HostPathNotAllowed", reason, "$.properties.path");
        return new JsonObject { ["kind"] = validator.Kind, ["path"] = path, ["provisioningState"] = "Succeeded" };
    }
}
