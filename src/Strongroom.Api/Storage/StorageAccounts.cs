using System.Text.Json.Nodes;
using Strongroom.Api.Resources;
using Strongroom.Arm;
using Strongroom.Backup.StorageAccounts;

namespace Strongroom.Api.Storage;

/// <summary>The rules for storage accounts that are folders of blobs.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class StorageAccounts(
    IResourceStore store, TrackedResources resources, StorageAccountNames names, FileServerAccounts fileServers, StorageAccountFolders folders, ArmOptions options, TimeProvider time)
{
    public const string Type = "Microsoft.Storage/storageAccounts";

    private const int MaxTagNameLength = 128;

    private static readonly string[] s_kinds = ["Storage", "StorageV2", "BlobStorage", "FileStorage", "BlockBlobStorage"];

    /// <summary>Makes or replaces an account.</summary>
    /// <exception cref="ArmException">400: name, location, sku or kind; 409: the name is taken.</exception>
    public async Task<TrackedResource> PutAsync(ResourceId id, JsonObject body, CancellationToken cancellationToken)
    {
        StorageAccountNames.RequireValid(id.Name);
        string location = options.RequireLocation(body.OptionalText("location"), Type);
        IReadOnlyDictionary<string, string> tags = ResourceTags.Read(body, MaxTagNameLength);
        JsonObject sku = Sku(body.OptionalObject("sku"));
        string kind = Kind(body.OptionalText("kind"));
        JsonObject properties = Settings(body.OptionalObject("properties"));
        // Two accounts of one name would share a folder.
        return await names.HoldAsync(
            async () =>
            {
                await names.RequireFreeAsync(id, cancellationToken);
                return (await resources.PutAsync(id, before => Build(before, TrackedResources.New(id, location, tags, properties) with { Sku = sku, Kind = kind }), cancellationToken)).Resource;
            },
            cancellationToken);
    }

    /// <summary>Changes tags, sku or the settings that are kept.</summary>
    /// <exception cref="ArmException">400; 404; 409: it is a file server.</exception>
    public async Task<TrackedResource> PatchAsync(ResourceId id, JsonObject body, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<string, string>? tags = body.HasField("tags") ? ResourceTags.Read(body, MaxTagNameLength) : null;
        JsonObject? sku = body.OptionalObject("sku") is { } sent ? Sku(sent) : null;
        string? kind = body.OptionalText("kind") is { } text ? Kind(text) : null;
        JsonObject settings = Settings(body.OptionalObject("properties"));
        await fileServers.RequireNoneAsync(id, cancellationToken);
        return await resources.PatchAsync(id, before =>
        {
            var properties = (JsonObject)before.Properties.DeepClone();
            foreach ((string name, JsonNode? value) in settings) properties[name] = value?.DeepClone();
            return before with { Tags = tags ?? before.Tags, Sku = sku ?? before.Sku, Kind = kind ?? before.Kind, Properties = properties };
        }, cancellationToken);
    }

    /// <summary>Deletes an account with all that is stored in it, as in Azure.</summary>
    /// <returns>False when there is none.</returns>
    public Task<bool> DeleteAsync(ResourceId id, CancellationToken cancellationToken) =>
        // The folder is known by the account's name alone: it must be gone before another account can take the name.
        names.HoldAsync(
            async () =>
            {
                if (!await store.DeleteAsync(id, cancellationToken)) return false;
                folders.DeleteAccount(id.Name);
                return true;
            },
            cancellationToken);

    /// <summary>Why a new account cannot have this name, as (reason, message), or null when it can.</summary>
    public async Task<(string Reason, string Message)?> FindObstacleAsync(string name, CancellationToken cancellationToken)
    {
        if (!ResourceNames.IsStorageAccount(name)) return ("AccountNameInvalid", StorageAccountNames.Invalid(name).Message);
        return await names.FindAsync(name, cancellationToken) is null ? null : ("AlreadyExists", $"The storage account name '{name}' is already taken.");
    }

    private TrackedResource Build(TrackedResource? before, TrackedResource wanted)
    {
        wanted.Properties["provisioningState"] = "Succeeded";
        wanted.Properties["creationTime"] = TrackedResources.Time(before?.CreatedAt ?? time.GetUtcNow());
        wanted.Properties["primaryLocation"] = wanted.Location;
        wanted.Properties["statusOfPrimary"] = "available";
        return wanted;
    }

    /// <summary>The account of blobs of this name, in whatever group, or null.</summary>
    internal Task<TrackedResource?> FindAsync(string name, CancellationToken cancellationToken) => names.FindAsync(Type, name, cancellationToken);

    private static JsonObject Sku(JsonObject? sent)
    {
        string name = sent is null ? "Standard_LRS" : sent.RequiredText("name");
        string tier = name.Split('_')[0];
        if (tier is not ("Standard" or "Premium") || !ResourceNames.IsGeneralName(name)) throw ArmErrors.InvalidRequestContent($"'{name}' is not a SKU of storage accounts, such as Standard_LRS", "$.sku.name");
        return new JsonObject { ["name"] = name, ["tier"] = tier };
    }

    private static string Kind(string? sent) => sent is null
        ? "StorageV2"
        : Array.Find(s_kinds, kind => kind.Equals(sent, StringComparison.OrdinalIgnoreCase)) ?? throw ArmErrors.InvalidRequestContent($"the kind is none of {string.Join(", ", s_kinds)}", "$.kind");

    /// <summary>The settings that are kept and shown. An account here is a folder: other settings would promise what nothing does, so they are not repeated.</summary>
    private static JsonObject Settings(JsonObject? sent)
    {
        var kept = new JsonObject();
        if (sent?.OptionalText("accessTier") is { } tier)
        {
            kept["accessTier"] = tier is "Hot" or "Cool" or "Cold" or "Premium" ? tier : throw ArmErrors.InvalidRequestContent("the tier is none of Hot, Cool, Cold, Premium", "$.properties.accessTier");
        }
        return kept;
    }
}
