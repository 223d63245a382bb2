using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Strongroom.Backup.Pipelines.Restores;
using Strongroom.Store;

namespace Strongroom.Backup.FileShares;

/// <summary>A part of a share that is restored.</summary>
/// <param name="Path">From the share's folder on, with slashes.</param>
/// <param name="IsFolder">What the caller takes it for.</param>
/// <param name="TargetFolder">The folder of the target share that it is put into under its own name; null: its own place.</param>
public sealed record SharePart(string Path, bool IsFolder, string? TargetFolder);

/// <summary>What the restore of a share was asked for (<c>AzureFileShareRestoreRequest</c>).</summary>
/// <param name="RecoveryPoint">Its name.</param>
/// <param name="RecoveryType">OriginalLocation or AlternateLocation, of <see cref="RecoveryTypes"/>.</param>
/// <param name="TargetAccountId">ARM id of the storage account that is restored into; null: the item's own.</param>
/// <param name="TargetShare">The name of the share that is restored into; null: the item's own.</param>
/// <param name="TargetFolder">Of a whole share: the folder that its content is put into; empty: the share's own.</param>
/// <param name="Parts">None: the whole share.</param>
/// <param name="Existing">What happens to files that are there.</param>
public sealed record ShareRestoreRequest(
    string RecoveryPoint, string RecoveryType, string? TargetAccountId, string? TargetShare, string TargetFolder, ImmutableArray<SharePart> Parts, ExistingFiles Existing)
{
    /// <summary>At most so many parts in one request, as in Azure.</summary>
    public const int MaxParts = 99;

    /// <summary>What the caller takes for the protected share's account, looked at when the restore is admitted.</summary>
    public string? SourceResourceId { get; init; }

    public bool IsWhole => Parts.IsEmpty;

    public JsonObject ToJson() => new()
    {
        ["recoveryPoint"] = RecoveryPoint,
        [RestoreRequest.RecoveryTypeMember] = RecoveryType,
        ["targetAccountId"] = TargetAccountId,
        ["targetShare"] = TargetShare,
        ["targetFolder"] = TargetFolder,
        ["existing"] = Existing.ToString(),
        ["parts"] = new JsonArray([.. Parts.Select(part => new JsonObject { ["path"] = part.Path, ["isFolder"] = part.IsFolder, ["targetFolder"] = part.TargetFolder })]),
    };

    public static ShareRestoreRequest FromJson(JsonObject json) => new(
        (string)json["recoveryPoint"]!,
        (string)json[RestoreRequest.RecoveryTypeMember]!,
        (string?)json["targetAccountId"],
        (string?)json["targetShare"],
        (string?)json["targetFolder"] ?? "",
        [.. json["parts"]!.AsArray().Select(part => new SharePart((string)part!["path"]!, (bool)part["isFolder"]!, (string?)part["targetFolder"]))],
        Enum.Parse<ExistingFiles>((string)json["existing"]!));
}
