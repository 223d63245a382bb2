using Strongroom.Api.Resources;
using Strongroom.Arm;

namespace Strongroom.Api.FileBrowsing;

/// <summary><c>Strongroom.RecoveryServices</c>: what a recovery point of Recovery Services has here beyond what Azure knows.</summary>
/// <remarks>It has no actions of its own: whoever may mount a recovery point by <c>Microsoft.RecoveryServices</c> may look into it, and whoever may restore it may boot from it.</remarks>
internal sealed class FileBrowsingProvider : ResourcelessProvider
{
    private static readonly string[] s_versions = ["2024-04-01"];

    public override string Namespace => "Strongroom.RecoveryServices";

    public override IReadOnlyList<ResourceTypeInfo> ResourceTypes { get; } =
        [new("vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/files", s_versions, []), new("vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/instantBoot", s_versions, []), new("operations", s_versions, [])];

    public override IReadOnlyList<ProviderOperation> Operations { get; } = [];
}
