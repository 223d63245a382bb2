using System.Globalization;
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

/// <summary>How the service prints times.</summary>
internal static class WireTimes
{
    /// <summary>No time yet, in operations and tasks: without a zone, as the service prints it.</summary>
    public const string None = "0001-01-01T00:00:00";

    /// <summary>No backup yet, in items.</summary>
    public const string NeverBackedUp = "2001-01-01T00:00:00Z";

    /// <summary>Seven decimals and Z.</summary>
    public static string Text(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);

    public static string Text(DateTimeOffset? at, string none) => at is { } time ? Text(time) : none;

    /// <summary>ISO 8601, such as PT1M2.5S.</summary>
    public static string Duration(TimeSpan duration) => System.Xml.XmlConvert.ToString(duration < TimeSpan.Zero ? TimeSpan.Zero : duration);
}
