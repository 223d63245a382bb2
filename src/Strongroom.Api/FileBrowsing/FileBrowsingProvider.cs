using Strongroom.Api.Resources;
using Strongroom.Arm;

namespace Strongroom.Api.FileBrowsing;

/// <summary><c>Strongroom.RecoveryServices</c>: what policies and recovery points of Recovery Services have here beyond what Azure knows.</summary>
/// <remarks>
/// It has no actions of its own: whoever may mount a recovery point by <c>Microsoft.RecoveryServices</c> may look into it, whoever may restore it may boot from it, and whoever may write a
/// policy may have its points verified.
/// </remarks>
internal sealed class FileBrowsingProvider : ResourcelessProvider
{
    private static readonly string[] s_versions = ["2024-04-01"];

    public override string Namespace => "Strongroom.RecoveryServices";

    public override IReadOnlyList<ResourceTypeInfo> ResourceTypes { get; } =
    [
        new("vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/files", s_versions, []),
        new("vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/instantBoot", s_versions, []),
        new("restoreVerifications", s_versions, []),
        new("verifications", s_versions, []),
        new("operations", s_versions, []),
    ];

    public override IReadOnlyList<ProviderOperation> Operations { get; } = [];
}
