using Strongroom.Store.Journals;
using Strongroom.Store.Log;
using Strongroom.Store.Packs;

namespace Strongroom.Store;

/// <summary>What ended sessions left for those that go on with their work.</summary>
public sealed partial class VaultStore
{
    /// <summary>True for a data pack that deduplication may refer to.</summary>
    internal bool IsDedupPack(uint packSeq) =>
        PackSet.Contains(PackContent.Data, packSeq) && Log.State.Collection.IsUsable(packSeq) && !Packs.Suspects.Contains(packSeq);

    /// <summary>Packs that sessions of this process have written or refer to, those included that ended without a commit less than a grace ago and can be gone on with.</summary>
    internal HashSet<uint> PacksInUse(TimeSpan grace)
    {
        var now = Log.Now;
        foreach (var lease in leases.Keys.Where(lease => now - lease.EndedAt > PackNumberState.LongestSilence))
            leases.TryRemove(lease, out _);
        return [.. leases.Keys.Where(lease => lease.EndedAt is not { } ended || now - ended < grace).SelectMany(lease => lease.Claims.Packs)];
    }

    /// <summary>Forgets what was kept for going on with a source: it has been committed.</summary>
    internal void ForgetEnded(string source)
    {
        foreach (var lease in leases.Keys.Where(lease => lease.EndedAt is not null && lease.Sources.Contains(source)))
            leases.TryRemove(lease, out _);
    }

    /// <summary>Removes journals that nobody went on with for the length of the grace; their packs may be gone, too.</summary>
    internal async Task RemoveOldJournalsAsync(TimeSpan grace, CancellationToken cancellationToken)
    {
        var now = Log.Now;
        var inUse = leases.Keys.Where(lease => lease.EndedAt is null).SelectMany(lease => lease.Sources).ToHashSet();
        var old = new List<string>();
        await foreach (var blob in Packs.Backend.ListAsync(JournalFormat.Folder, cancellationToken))
        {
            if (JournalFormat.TryParseName(blob.Name, out var source, out var writtenAt) && now - writtenAt >= grace && !inUse.Contains(source))
                old.Add(blob.Name);
        }

        foreach (var name in old)
            await Packs.Backend.DeleteAsync(name, cancellationToken);
    }
}
