using System.Text.Json.Nodes;
using Strongroom.Backup.FileShares;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Pipelines.Restores;
using Strongroom.Backup.Policies;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;
using Strongroom.Store;

namespace Strongroom.Backup.Tests.Support;

/// <summary>Shares in a rig.</summary>
internal static class RigShares
{
    public const string Policy = """
        {"backupManagementType":"AzureStorage","workLoadType":"AzureFileShare","timeZone":"UTC",
        "schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Daily","scheduleRunTimes":["2026-01-01T02:00:00Z"]},
        "retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["2026-01-01T02:00:00Z"],"retentionDuration":{"count":5,"durationType":"Days"}}}}
        """;

    public static string AccountId(string account) => $"/subscriptions/{Rig.Subscription}/resourceGroups/Lab/providers/Microsoft.Storage/storageAccounts/{account}";

    public static string Container(string account) => ItemNames.OfAccount("Lab", account);

    public static string NativeName(string account, string share) => ItemNames.OfShare("Lab", account, $"{AccountId(account)}/fileServices/default/shares/{share}");

    /// <summary>An empty folder as a share.</summary>
    public static string NewShare(this Rig rig, string account = "files1", string share = "docs")
    {
        var folder = Directory.CreateDirectory(Path.Combine(rig.Folder, "shares", account, share)).FullName;
        rig.Shares.Folders[(account, share)] = folder;
        return folder;
    }

    public static async Task PutSharePolicyAsync(this Rig rig, Vault vault, string name = "shares", string policy = Policy) =>
        await new PolicyAdministration(rig.Policies, rig.Time).PutAsync(vault, name, (JsonObject)JsonNode.Parse(policy)!, Rig.Token);

    /// <summary>Registers the account and puts the share under the policy.</summary>
    public static async Task<ProtectedItem> ProtectShareAsync(this Rig rig, Vault vault, string account = "files1", string share = "docs")
    {
        if (await rig.Policies.FindAsync(vault.Key, "shares", Rig.Token) is null) await rig.PutSharePolicyAsync(vault);
        await rig.Registration.RegisterAsync(vault, Container(account), AccountId(account), Rig.Token);
        await rig.Protection.PutAsync(vault, Request(account, share), Rig.Token);
        return (await rig.Items.FindAsync(vault.Key, NativeName(account, share), Rig.Token))!;
    }

    public static ProtectionRequest Request(string account, string share, string? policy = "shares", string? state = null) => new(NativeName(account, share), AccountId(account), policy, state, false, null);

    public static async Task<Job> BackUpAsync(this Rig rig, Vault vault, ProtectedItem item, DateTimeOffset? expiresAt = null)
    {
        rig.Time.Advance(TimeSpan.FromMinutes(10));
        return await rig.RunAsync(vault, await rig.Admission.BackUpAsync(vault, item.NativeName, expiresAt, Rig.Token));
    }

    public static async Task<RecoveryPoint> NewestAsync(this Rig rig, ProtectedItem item) => (await rig.Points.ListAsync(item.Key, Rig.Token))[0];

    public static async Task<Job> RestoreAsync(
        this Rig rig, Vault vault, ProtectedItem item, RecoveryPoint point, ExistingFiles existing, (string Account, string Share)? target = null, string targetFolder = "", params SharePart[] parts)
    {
        var request = new ShareRestoreRequest(
            point.Name, target is null ? RecoveryTypes.OriginalLocation : RecoveryTypes.AlternateLocation, target is { } other ? AccountId(other.Account) : null, target?.Share, targetFolder, [.. parts], existing);
        return await rig.RunAsync(vault, await rig.Admission.RestoreShareAsync(vault, item.NativeName, point.Name, request, Rig.Token));
    }
}
