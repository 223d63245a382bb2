using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Strongroom.Backup.Policies;
using Strongroom.Backup.Verification;

namespace Strongroom.Metadata.Policies;

/// <inheritdoc cref="IPolicyRepository"/>
internal sealed class PolicyRepository(IDbContextFactory<StrongroomContext> contexts) : IPolicyRepository
{
    public async Task<BackupPolicy?> FindAsync(Guid vaultKey, string name, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var key = name.Key();
        var row = await db.Policies.AsNoTracking().FirstOrDefaultAsync(r => r.VaultKey == vaultKey && r.NameKey == key, cancellationToken);
        return row is null ? null : Documents.Read(row.Document, Documents.Default.BackupPolicy);
    }

    public async Task<PolicyInUse?> FindInUseAsync(Guid vaultKey, string name, CancellationToken cancellationToken)
    {
        if (await FindAsync(vaultKey, name, cancellationToken) is not { } policy) return null;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var key = name.Key();
        return new(policy, await db.Items.CountAsync(r => r.VaultKey == vaultKey && r.PolicyKey == key, cancellationToken));
    }

    public async Task<IReadOnlyList<PolicyInUse>> ListAsync(Guid vaultKey, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = await db.Policies.AsNoTracking().Where(r => r.VaultKey == vaultKey).OrderBy(r => r.NameKey).ToListAsync(cancellationToken);
        var counts = await db.Items.Where(r => r.VaultKey == vaultKey).GroupBy(r => r.PolicyKey)
            .Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, cancellationToken);
        return rows.ConvertAll(r => new PolicyInUse(Documents.Read(r.Document, Documents.Default.BackupPolicy), counts.GetValueOrDefault(r.NameKey)));
    }

    public async Task<bool> TryPutAsync(BackupPolicy policy, PolicyInUse? judged, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var key = policy.Name.Key();
        // In one transaction, which has the write lock from its begin: else two who put a new policy at once would both try to add it.
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (!await IsAsync(db, policy.VaultKey, key, judged?.Policy, cancellationToken)) return false;
        policy = policy with { Verification = await FindVerificationAsync(db, policy.VaultKey, key, cancellationToken) };
        var document = Documents.Write(policy, Documents.Default.BackupPolicy);
        if (judged is { ProtectedItems: 0 } && await db.Items.AnyAsync(r => r.VaultKey == policy.VaultKey && r.PolicyKey == key, cancellationToken)) return false;
        var updated = await db.Policies.Where(r => r.VaultKey == policy.VaultKey && r.NameKey == key)
            .ExecuteUpdateAsync(u => u.SetProperty(r => r.Document, document), cancellationToken);
        await SetDueAsync(db, policy.VaultKey, key, cancellationToken);
        if (updated == 0)
        {
            db.Policies.Add(Row(policy));
            await db.SaveChangesAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    public async Task<bool> TrySetVerificationAsync(Guid vaultKey, string name, RestoreVerification? verification, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var key = name.Key();
        // In one transaction, as above: the policy may be written at this very moment.
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (await db.Policies.FirstOrDefaultAsync(r => r.VaultKey == vaultKey && r.NameKey == key, cancellationToken) is not { } row) return false;
        row.Document = Documents.Write(Documents.Read(row.Document, Documents.Default.BackupPolicy) with { Verification = verification }, Documents.Default.BackupPolicy);
        await db.SaveChangesAsync(cancellationToken);
        await SetDueAsync(db, vaultKey, key, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    public async Task<PolicyDeletion> DeleteAsync(Guid vaultKey, string name, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var key = name.Key();
        // In one transaction, as above: nobody comes to use the policy between the look and the deletion.
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (await db.Items.AnyAsync(r => r.VaultKey == vaultKey && r.PolicyKey == key, cancellationToken)) return PolicyDeletion.InUse;
        var deleted = await db.Policies.Where(r => r.VaultKey == vaultKey && r.NameKey == key).ExecuteDeleteAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return deleted == 0 ? PolicyDeletion.Absent : PolicyDeletion.Deleted;
    }

    /// <summary>Whether the policy with this key is the one that was read, or is not there where none was (null).</summary>
    internal static async Task<bool> IsAsync(StrongroomContext db, Guid vaultKey, string key, BackupPolicy? read, CancellationToken cancellationToken)
    {
        var document = await db.Policies.Where(r => r.VaultKey == vaultKey && r.NameKey == key).Select(r => r.Document).FirstOrDefaultAsync(cancellationToken);
        if (document is null || read is null) return document is null && read is null;
        // Both: a policy that was deleted and put again at one instant is another one, unless it says the same.
        var now = Documents.Read(document, Documents.Default.BackupPolicy);
        return now.ChangedAt == read.ChangedAt && JsonNode.DeepEquals(now.Properties, read.Properties);
    }

    /// <summary>What a change of a policy means for its items is looked at at once.</summary>
    private static Task SetDueAsync(StrongroomContext db, Guid vaultKey, string key, CancellationToken cancellationToken) =>
        db.Items.Where(r => r.VaultKey == vaultKey && r.PolicyKey == key).ExecuteUpdateAsync(u => u.SetProperty(r => r.DueAt, r => r.DueAt > 0 ? 0 : r.DueAt - 1), cancellationToken);

    private static async Task<RestoreVerification?> FindVerificationAsync(StrongroomContext db, Guid vaultKey, string key, CancellationToken cancellationToken)
    {
        var document = await db.Policies.Where(r => r.VaultKey == vaultKey && r.NameKey == key).Select(r => r.Document).FirstOrDefaultAsync(cancellationToken);
        return document is null ? null : Documents.Read(document, Documents.Default.BackupPolicy).Verification;
    }

    internal static PolicyRow Row(BackupPolicy policy) => new()
    {
        VaultKey = policy.VaultKey,
        NameKey = policy.Name.Key(),
        Document = Documents.Write(policy, Documents.Default.BackupPolicy),
    };
}
