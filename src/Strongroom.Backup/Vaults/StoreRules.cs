using Microsoft.Extensions.Logging;
using Strongroom.Backup.Items;
using Strongroom.Backup.Policies;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Store;

namespace Strongroom.Backup.Vaults;

/// <summary>Passes a vault's security settings on to its store: its policy, and in a vault whose immutability is locked a lock on every recovery point.</summary>
/// <remarks>
/// The settings hold in the server from the moment they are recorded; the store follows at once where it answers, at each round of maintenance otherwise.
/// Only what can never be taken back locks snapshots, since a lock cannot be taken back either.
/// </remarks>
public sealed class StoreRules(IVaultRepository vaults, IVaultStores stores, IItemRepository items, IRecoveryPointRepository points, IPolicyRepository policies, ILogger<StoreRules> log)
{
    /// <summary>True when a change of settings concerns the store.</summary>
    public static bool Concerns(VaultConfig? before, VaultConfig after) => StorePolicies.Of(before ?? new()) != StorePolicies.Of(after);

    /// <summary>Has the vault's store follow its settings. Does nothing where no store was made yet: it is asked again when one is.</summary>
    /// <param name="before">The settings before the change; null: the store only becomes stricter.</param>
    /// <exception cref="StoreException">The store cannot be reached, or refuses.</exception>
    public async Task FollowAsync(Guid vaultKey, VaultConfig? before, CancellationToken cancellationToken)
    {
        if (await stores.FindAsync(vaultKey, cancellationToken) is not { } store || await vaults.FindAsync(vaultKey, cancellationToken) is not { } vault) return;
        await SetPolicyAsync(store, before, vault.Config, cancellationToken);
        if (vault.Config.Immutability == ImmutabilityStates.Locked) await LockPointsAsync(vault, store, cancellationToken);
    }

    /// <summary>As <see cref="FollowAsync"/>; a store that does not answer is told in the log and follows later.</summary>
    /// <returns>Why the store does not follow yet, for the caller; null: it does.</returns>
    public async Task<string?> TryFollowAsync(Guid vaultKey, VaultConfig? before, CancellationToken cancellationToken)
    {
        try
        {
            await FollowAsync(vaultKey, before, cancellationToken);
            return null;
        }
        catch (Exception e) when (e is StoreException or IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            log.LogWarning(e, "The store of vault {VaultKey} does not have the vault's settings yet; the next round of maintenance tries again", vaultKey);
            return "The settings are recorded and the server keeps to them, but the vault's storage did not take them yet; the server tries again by itself. " + e.Message;
        }
    }

    /// <summary>Gives a store the policy that its vault's settings ask for.</summary>
    internal static async Task SetPolicyAsync(VaultStore store, VaultConfig? before, VaultConfig after, CancellationToken cancellationToken)
    {
        var next = StorePolicies.Next(store.Governance.Policy, before, after);
        if (next != store.Governance.Policy) await store.Governance.SetPolicyAsync(next, cancellationToken);
    }

    /// <summary>What was deleted before immutability came goes when its days are over; everything else is locked until it expires.</summary>
    private async Task LockPointsAsync(Vault vault, VaultStore store, CancellationToken cancellationToken)
    {
        foreach (var item in await items.ListAsync(vault.Key, cancellationToken))
        {
            if (item.IsDeleted) continue;
            var terms = await policies.FindTermsAsync(item, cancellationToken);
            foreach (var point in (await points.ListAsync(item.Key, cancellationToken)).WithExpiries(terms))
            {
                var id = new SnapshotId(point.SnapshotId);
                if (VaultImmutability.LockUntil(vault, point.ExpiresAt) is { } until && store.Find(id) is { } snapshot && !(snapshot.LockedUntil >= until))
                    await store.Governance.LockAsync(id, until, cancellationToken);
            }
        }
    }
}
