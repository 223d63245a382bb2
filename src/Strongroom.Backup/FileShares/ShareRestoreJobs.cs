using System.Globalization;
using Strongroom.Arm;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Pipelines;
using Strongroom.Backup.Pipelines.Restores;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;
using Strongroom.Store;

namespace Strongroom.Backup.FileShares;

/// <summary>New jobs that restore shares: what can be refused before anything is begun, and what the job shows.</summary>
internal static class ShareRestoreJobs
{
    public static Job New(ProtectedItem item, RecoveryPoint point, ShareRestoreRequest request, DateTimeOffset now) => JobFactory.New(item, JobOperations.Restore, now) with
    {
        Request = request.ToJson(),
        Tasks = RestoreTasks.Of(RecoveryTypes.RestoreDisks),
        Properties = item.Properties(
            ("Job Type", request.IsWhole ? "Recover file share" : "Recover files"),
            ("RestoreDestination", $"{Name(request.TargetAccountId) ?? item.AccountName}/{request.TargetShare ?? item.FriendlyName}/{request.TargetFolder}"),
            ("Conflict resolution", Word(request.Existing)),
            // The blank at the end is the service's own spelling.
            ("Recovery point time ", point.Time.UtcDateTime.ToString("M/d/yyyy h:mm:ss tt", CultureInfo.InvariantCulture))),
        ProgressPercent = 0,
    };

    /// <exception cref="BackupRefusedException">The request does not go with the vault, the item or the recovery point.</exception>
    public static void Check(Vault vault, ProtectedItem item, ShareRestoreRequest request)
    {
        item.RequireNotDeleted();
        if (item.Kind != ItemKind.FileShare) throw Invalid("An AzureFileShareRestoreRequest restores file shares, and the item is a virtual machine.", "properties.objectType");
        if (request.SourceResourceId is { Length: > 0 } source
            && !(ShareAccountId.TryParse(source, out var account) && ItemNames.OfAccount(account.ResourceGroup, account.Name) == ItemNames.ContainerOf(item.NativeName)))
            throw Invalid("sourceResourceId names another storage account than the item is in.", "properties.sourceResourceId");
        if (!vault.RestoresAcrossSubscriptions && ResourceId.TryParse(request.TargetAccountId, out var target)
            && !vault.SubscriptionId.Equals(target.SubscriptionId, StringComparison.OrdinalIgnoreCase))
            throw Invalid($"'{target}' is in another subscription, and the vault's crossSubscriptionRestoreState forbids restores to such.", "properties.targetDetails.targetResourceId");
    }

    /// <exception cref="BackupRefusedException">The account that is to be restored into is out of the vault's reach.</exception>
    public static void Check(Vault vault, ShareAccount target)
    {
        if (!target.Location.Equals(vault.Location, StringComparison.OrdinalIgnoreCase))
            throw Invalid($"Storage account '{target.Name}' is in '{target.Location}'; this vault restores to its own region, '{vault.Location}'.", "properties.targetDetails.targetResourceId");
    }

    private static string Word(ExistingFiles existing) => existing.ToString();

    private static string? Name(string? id) => id?[(id.LastIndexOf('/') + 1)..];

    private static BackupRefusedException Invalid(string message, string target) => new(BackupRefusal.InvalidInput, message, target);
}
