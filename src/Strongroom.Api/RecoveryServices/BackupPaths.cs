using Strongroom.Backup.Items;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices;

/// <summary>
/// The ids of what is in a vault. Clients search them case-sensitively for <c>protectionContainers/</c> and <c>protectedItems/</c>: these spellings are the contract.
/// </summary>
internal static class BackupPaths
{
    public const string VaultType = "Microsoft.RecoveryServices/vaults";

    public static string Policy(Vault vault, string policy) => $"{vault.ResourceId}/backupPolicies/{policy}";

    public static string Job(Vault vault, Guid job) => $"{vault.ResourceId}/backupJobs/{job}";

    public static string Container(Vault vault, string nativeName) => $"{vault.ResourceId}/backupFabrics/Azure/protectionContainers/{ItemNames.Container(nativeName)}";

    public static string Item(Vault vault, string nativeName) => $"{Container(vault, nativeName)}/protectedItems/{ItemNames.Item(nativeName)}";

    public static string RecoveryPoint(Vault vault, string nativeName, string point) => $"{Item(vault, nativeName)}/recoveryPoints/{point}";
}
