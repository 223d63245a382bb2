using System.Text.Json.Nodes;
using Strongroom.Api.Resources;
using Strongroom.Api.Storage;
using Strongroom.Arm;
using Strongroom.Backup.FileShares;

namespace Strongroom.Api.Fabric;

/// <summary>The rules for file servers: a kind that a validator knows, properties that it accepts, and the name of a storage account, for that is what clients see.</summary>
public sealed class FileServers(TrackedResources resources, StorageAccountNames names, IEnumerable<IFileServerValidator> validators, ArmOptions options, BoundedCalls calls)
{
    public const string Type = "Strongroom.Fabric/fileServers";

    /// <summary>Makes or replaces a file server.</summary>
    /// <exception cref="ArmException">400: name, location, kind or a property of the kind; 409: another location, the name is a storage account's, or its folders do not answer.</exception>
    public async Task<(TrackedResource Resource, bool IsCreated)> PutAsync(ResourceId id, JsonObject body, CancellationToken cancellationToken)
    {
        StorageAccountNames.RequireValid(id.Name);
        string location = options.RequireLocation(body.OptionalText("location"), Type);
        IReadOnlyDictionary<string, string> tags = ResourceTags.Read(body);
        JsonObject sent = body.OptionalObject("properties") ?? throw ArmErrors.InvalidRequestContent("an object with the kind and what belongs to it is required", "$.properties");
        JsonObject properties = await AcceptAsync(id, sent.RequiredText("kind"), sent, cancellationToken);
        return await names.HoldAsync(
            async () =>
            {
                await names.RequireFreeAsync(id, cancellationToken);
                return await resources.PutAsync(id, _ => TrackedResources.New(id, location, tags, properties), cancellationToken);
            },
            cancellationToken);
    }

    /// <summary>Changes tags or properties; those that are not sent stay, and so does the kind.</summary>
    /// <exception cref="ArmException">400; 404; 409: its folders do not answer.</exception>
    public async Task<TrackedResource> PatchAsync(ResourceId id, JsonObject body, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<string, string>? tags = body.HasField("tags") ? ResourceTags.Read(body) : null;
        JsonObject? sent = body.OptionalObject("properties");
        while (true)
        {
            TrackedResource before = await resources.GetAsync(id, cancellationToken);
            string kind = before.Properties.RequiredText("kind");
            if (sent?.OptionalText("kind") is { } other && !other.Equals(kind, StringComparison.OrdinalIgnoreCase))
            {
                throw ArmErrors.InvalidRequestContent($"the kind of a file server stays what it was, '{kind}'", "$.properties.kind");
            }
            JsonObject properties = sent is null ? before.Properties : await AcceptAsync(id, kind, PropertyMerge.Of(before.Properties, sent), cancellationToken);
            try
            {
                return await resources.PatchAsync(id, now => now.ETag == before.ETag ? now with { Tags = tags ?? now.Tags, Properties = properties } : throw new ChangedMeanwhileException(), cancellationToken);
            }
            catch (ChangedMeanwhileException)
            {
                // What was judged is not what is there any more: judge again.
            }
        }
    }

    /// <summary>Why a file server that was accepted once would not be now, or null: what the operator allows may have changed since.</summary>
    public async Task<string?> FindRefusalAsync(TrackedResource server, CancellationToken cancellationToken)
    {
        try
        {
            await AcceptAsync(server.Id, server.Properties.RequiredText("kind"), server.Properties, cancellationToken);
            return null;
        }
        catch (ArmException refused)
        {
            return refused.Message;
        }
    }

    private async Task<JsonObject> AcceptAsync(ResourceId id, string kind, JsonObject sent, CancellationToken cancellationToken)
    {
        IFileServerValidator validator = validators.FirstOrDefault(v => v.Kind.Equals(kind, StringComparison.OrdinalIgnoreCase))
            ?? throw ArmErrors.InvalidRequestContent($"the kind is none of {string.Join(", ", validators.Select(static v => v.Kind))}", "$.properties.kind");
        JsonObject accepted;
        try
        {
            // A validator looks at folders.
            accepted = await calls.RunAsync(id.ToString(), () => validator.Accept(sent), cancellationToken);
        }
        catch (TimeoutException)
        {
            throw ArmErrors.Custom(409, "FileServerUnavailable", $"The folders of file server '{id.Name}' do not answer.");
        }
        accepted.Insert(0, "kind", validator.Kind);
        accepted["provisioningState"] = "Succeeded";
        return accepted;
    }

    /// <summary>Another request has changed the file server.</summary>
    private sealed class ChangedMeanwhileException : Exception;
}
