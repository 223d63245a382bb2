using Strongroom.Backup.Jobs;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Items;

/// <summary>
/// Intents to protect a machine. An intent is done at once by protecting the machine, and is kept with its item; taking it back leaves the protection as it is.
/// </summary>
public sealed class ProtectionIntentions(IItemRepository items, ItemProtection protection, IJobLedger ledger)
{
    /// <summary>Protects the machine, or gives it the policy, and keeps that it was meant so.</summary>
    /// <exception cref="BackupRefusedException">It cannot be protected; there is no intent.</exception>
    public async Task<ProtectedItem> PutAsync(Vault vault, ProtectionRequest request, CancellationToken cancellationToken)
    {
        var operation = await protection.PutAsync(vault, request, cancellationToken);
        var job = operation.JobId is { } id ? await ledger.FindAsync(vault.Key, id, CancellationToken.None) : null;
        if (job is { State: JobStates.Failed }) throw new BackupRefusedException(BackupRefusal.InvalidConfigureProtection, job.Errors[0].Message);
        var item = await items.FindAsync(vault.Key, request.NativeName, CancellationToken.None);
        if (item is null) throw new BackupRefusedException(BackupRefusal.ItemNotFound, $"'{request.NativeName}' was deleted at the same moment.");
        return item.HasIntent ? item : await WriteAsync(item, hasIntent: true);
    }

    /// <summary>Forgets the intent; nothing happens where there is none.</summary>
    public async Task RemoveAsync(Vault vault, string nativeName, CancellationToken cancellationToken)
    {
        if (await FindAsync(vault, nativeName, cancellationToken) is { } item) await WriteAsync(item, hasIntent: false);
    }

    /// <summary>The item whose protection was meant by an intent, or null.</summary>
    public async Task<ProtectedItem?> FindAsync(Vault vault, string nativeName, CancellationToken cancellationToken) =>
        await items.FindAsync(vault.Key, nativeName, cancellationToken) is { HasIntent: true } item ? item : null;

    private async Task<ProtectedItem> WriteAsync(ProtectedItem item, bool hasIntent)
    {
        var changed = item with { HasIntent = hasIntent };
        return await items.TryUpdateAsync(changed, CancellationToken.None)
            ? changed
            : throw new BackupRefusedException(BackupRefusal.Conflict, $"'{item.FriendlyName}' was changed by another request at the same moment. Try again.");
    }
}
