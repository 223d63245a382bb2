using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;
using Strongroom.Api.RecoveryServices.ResourceGuardProxies;
using Strongroom.Arm;
using Strongroom.Backup.FileShares;
using Strongroom.Backup.Pipelines.Restores;
using Strongroom.Store;

namespace Strongroom.Api.RecoveryServices.Restores;

/// <summary>A request to restore a share or files of it, from the wire: <c>AzureFileShareRestoreRequest</c> of bms.json.</summary>
internal static class ShareRestoreContract
{
    public const string Type = "AzureFileShareRestoreRequest";

    /// <summary>The longest path that a request may name, in bytes.</summary>
    private const int MaxPathBytes = 64 * 1024;

    /// <param name="point">The recovery point in the path.</param>
    /// <exception cref="ArmException">400: something is missing or wrong.</exception>
    public static ShareRestoreRequest Read(JsonObject body, string point)
    {
        var properties = body.OptionalObject("properties") ?? throw RecoveryServicesErrors.InvalidInput("'properties' is missing.", "properties");
        var type = properties.OptionalText("objectType");
        if (!string.Equals(type, Type, StringComparison.OrdinalIgnoreCase)) throw RecoveryServicesErrors.InvalidType("objectType", type, Type);
        GuardPasses.Requests(properties);
        var recoveryType = Word(properties, "recoveryType", RecoveryTypes.OriginalLocation, RecoveryTypes.AlternateLocation);
        var isWhole = Word(properties, "restoreRequestType", "FullShareRestore", "ItemLevelRestore") == "FullShareRestore";
        var existing = Word(properties, "copyOptions", nameof(ExistingFiles.Overwrite), nameof(ExistingFiles.Skip), nameof(ExistingFiles.FailOnConflict), nameof(ExistingFiles.CreateCopy));
        var isAlternate = recoveryType == RecoveryTypes.AlternateLocation;
        var specs = Specs(properties);
        var (account, share) = isAlternate ? Target(properties) : (null, null);
        return new(point, recoveryType, account, share, isWhole ? WholeFolder(specs, isAlternate) : "", isWhole ? [] : Parts(specs, isAlternate), Enum.Parse<ExistingFiles>(existing))
        {
            SourceResourceId = properties.OptionalText("sourceResourceId"),
        };
    }

    private static string Word(JsonObject properties, string name, params string[] known) =>
        properties.OptionalText(name) is var sent && known.FirstOrDefault(word => word.Equals(sent, StringComparison.OrdinalIgnoreCase)) is { } found
            ? found
            : throw RecoveryServicesErrors.InvalidType(name, sent, known);

    private static (string Account, string Share) Target(JsonObject properties)
    {
        var details = properties.OptionalObject("targetDetails") ?? throw RecoveryServicesErrors.InvalidInput("'targetDetails' is missing: a restore to another location needs one.", "properties.targetDetails");
        var share = details.OptionalText("name");
        if (string.IsNullOrEmpty(share) || share.Length > 255) throw RecoveryServicesErrors.InvalidInput("'targetDetails.name' must be the name of the share that is restored into.", "properties.targetDetails.name");
        return ResourceId.TryParse(details.OptionalText("targetResourceId"), out var id) && id.IsOfType("Microsoft.Storage/storageAccounts")
            ? (id.ToString(), share)
            : throw RecoveryServicesErrors.InvalidInput("'targetDetails.targetResourceId' must be the id of the storage account that is restored into.", "properties.targetDetails.targetResourceId");
    }

    private static List<JsonObject> Specs(JsonObject properties)
    {
        if (properties.Field("restoreFileSpecs") is not { } sent) return [];
        if (sent is not JsonArray list || list.Any(entry => entry is not JsonObject)) throw Invalid("'restoreFileSpecs' must be a list of objects.");
        return list.Count <= ShareRestoreRequest.MaxParts ? [.. list.Select(entry => (JsonObject)entry!)] : throw Invalid($"'restoreFileSpecs' names {list.Count} files and folders; at most {ShareRestoreRequest.MaxParts} can be restored at once.");
    }

    /// <summary>A whole share names nothing, or the folder that its content is put into.</summary>
    private static string WholeFolder(List<JsonObject> specs, bool isAlternate)
    {
        if (specs.Count > 1 || specs.Any(spec => !string.IsNullOrEmpty(spec.OptionalText("path")))) throw Invalid("'restoreFileSpecs' names files, and a FullShareRestore restores all of them. Send an ItemLevelRestore.");
        var folder = specs.Count == 0 ? null : spec(specs[0]);
        if (!isAlternate && !string.IsNullOrEmpty(folder?.Trim('/'))) throw Invalid("'targetFolderPath' has no place in a restore to the original location.");
        return Path(folder ?? "", "targetFolderPath");

        static string? spec(JsonObject entry) => entry.OptionalText("targetFolderPath");
    }

    private static ImmutableArray<SharePart> Parts(List<JsonObject> specs, bool isAlternate)
    {
        if (specs.Count == 0) throw Invalid("'restoreFileSpecs' is missing: an ItemLevelRestore names the files and folders to restore.");
        return [.. specs.Select(spec => Part(spec, isAlternate))];
    }

    private static SharePart Part(JsonObject spec, bool isAlternate)
    {
        var path = Path(spec.OptionalText("path") ?? "", "path");
        if (path.Length == 0) throw Invalid("'path' in 'restoreFileSpecs' must name a file or a folder of the share.");
        var kind = spec.OptionalText("fileSpecType");
        var isFolder = string.Equals(kind, "Directory", StringComparison.OrdinalIgnoreCase);
        if (!isFolder && !string.Equals(kind, "File", StringComparison.OrdinalIgnoreCase)) throw RecoveryServicesErrors.InvalidType("restoreFileSpecs.fileSpecType", kind, "File", "Directory");
        var folder = spec.OptionalText("targetFolderPath");
        // Files go back to where they were; without a folder they go to another share's own.
        return new(path, isFolder, isAlternate ? Path(folder ?? "", "targetFolderPath") : null);
    }

    private static string Path(string sent, string name)
    {
        var names = sent.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (Encoding.UTF8.GetByteCount(sent) > MaxPathBytes || sent.Contains('\0', StringComparison.Ordinal) || names.Any(n => n is "." or ".." || Encoding.UTF8.GetByteCount(n) > 255))
            throw Invalid($"'{name}' in 'restoreFileSpecs' is no path of a share: names of at most 255 bytes with '/' between them, none of them '.' or '..'.");
        return string.Join('/', names);
    }

    private static ArmException Invalid(string message) => RecoveryServicesErrors.InvalidInput(message, "properties.restoreFileSpecs");
}
