using System.Collections.Immutable;
using System.Globalization;
using Strongroom.Arm;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Pipelines.Restores;

/// <summary>New restore jobs: what can be refused before anything is begun, and what the job shows.</summary>
internal static class RestoreJobs
{
    /// <summary>The job of a request that <see cref="Check"/> let pass.</summary>
    public static Job New(ProtectedItem item, RecoveryPoint point, RestoreRequest request, DateTimeOffset now) =>
        JobFactory.New(item, JobOperations.Restore, now) with
        {
            Request = request.ToJson(),
            Tasks = RestoreTasks.Of(request.RecoveryType),
            Properties = (request.StorageAccountId.Length == 0 ? ImmutableSortedDictionary<string, string>.Empty : ImmutableSortedDictionary<string, string>.Empty.Add("Target Storage Account Name", request.StorageAccount))
                .Add("Job Type", request.RecoveryType == RecoveryTypes.RestoreDisks ? "Recover disks" : "Recover virtual machine")
                .Add("Target VM Name", request.RecoveryType switch
                {
                    RecoveryTypes.AlternateLocation or RecoveryTypes.InstantBoot => request.Target!.Name,
                    RecoveryTypes.OriginalLocation => item.FriendlyName,
                    // A restore of disks has no target machine; the service prints this very word all the same.
                    _ => "vmName",
                })
                // The blank at the end is the service's own spelling.
                .Add("Recovery point time ", point.Time.UtcDateTime.ToString("M/d/yyyy h:mm:ss tt", CultureInfo.InvariantCulture)),
            InternalProperties = ImmutableSortedDictionary<string, string>.Empty.Add("restoreLocationType", request.RecoveryType),
            ProgressPercent = 0,
        };

    /// <exception cref="BackupRefusedException">The request does not go with the vault, the item or the recovery point.</exception>
    public static void Check(Vault vault, ProtectedItem item, RecoveryPoint point, RestoreRequest request)
    {
        item.RequireNotDeleted();
        if (item.Kind != ItemKind.VirtualMachine) throw Invalid("An IaasVMRestoreRequest restores virtual machines, and the item is a file share: send an AzureFileShareRestoreRequest.", "properties.objectType");
        if (request.SourceResourceId is { Length: > 0 } source && !source.Equals(item.SourceResourceId, StringComparison.OrdinalIgnoreCase))
            throw Invalid("sourceResourceId names another machine than the item protects.", "properties.sourceResourceId");
        if (request.Region is { Length: > 0 } region && !Squeeze(region).Equals(Squeeze(vault.Location), StringComparison.OrdinalIgnoreCase))
            throw Invalid($"region is '{region}'; this vault restores to its own, '{vault.Location}'.", "properties.region");
        if (!vault.RestoresAcrossSubscriptions && Foreign(vault, request) is { } target)
            throw Invalid($"'{target}' is in another subscription, and the vault's crossSubscriptionRestoreState forbids restores to such.", "properties");
        foreach (var lun in request.Luns ?? [])
        {
            if (point.Disks.All(d => d.Lun != lun)) throw Invalid($"restoreDiskLunList names LUN {lun}, which the recovery point does not hold.", "properties.restoreDiskLunList");
        }

        var hasOs = point.Disks.Any(d => d.Lun < 0) && (request.Luns is not { } luns || luns.Any(l => l < 0));
        if (request.RecoveryType is RecoveryTypes.AlternateLocation or RecoveryTypes.InstantBoot && !hasOs)
            throw Invalid("A new machine needs the disk of its operating system (LUN -1). Restore the data disks with RestoreDisks.", "properties.restoreDiskLunList");
    }

    /// <summary>The first thing that is written to, or used, and is not of the vault's subscription.</summary>
    private static string? Foreign(Vault vault, RestoreRequest request) =>
        request.Target is { } machine && !IsOf(vault, machine.SubscriptionId)
            ? machine.Name
            : new[] { request.StorageAccountId, request.TargetResourceGroupId, request.VirtualNetworkId, request.SubnetId }
                .FirstOrDefault(id => ResourceId.TryParse(id, out var parsed) && parsed.SubscriptionId is { } subscription && !IsOf(vault, subscription));

    private static bool IsOf(Vault vault, string subscription) => subscription.Equals(vault.SubscriptionId, StringComparison.OrdinalIgnoreCase);

    /// <summary>Regions are written "West Europe" and "westeurope".</summary>
    private static string Squeeze(string region) => region.Replace(" ", "", StringComparison.Ordinal);

    private static BackupRefusedException Invalid(string message, string target) => new(BackupRefusal.InvalidInput, message, target);
}
