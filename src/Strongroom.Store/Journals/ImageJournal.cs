using Strongroom.Store.Images;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Journals;

/// <summary>
/// What is known to be durable of one image that is not committed yet: kept in the vault, so that a backup that died goes on where it was.
/// It spares work and nothing else: a session that finds none, or one that does not verify, reads the source.
/// </summary>
/// <remarks>
/// Reading (<see cref="FindAsync"/>) is for one caller at a time; so is adding, but both may go on at once. Memory: 40 bytes for each leaf that
/// is known, one blob, and the leaves that wait for their packs.
/// </remarks>
internal sealed class ImageJournal : IDisposable
{
    private readonly VaultStore vault;
    private readonly SemaphoreSlim gate = new(1, 1);
    private readonly Dictionary<uint, string> places = [];
    private readonly List<string> names = [];
    private readonly List<Waiting> waiting = [];
    private (string Name, Dictionary<uint, JournalRecord> Records) open = ("", []);

    private ImageJournal(VaultStore vault, string source)
    {
        this.vault = vault;
        Source = source;
    }

    /// <summary>Stands for the token, the length and the parent in names.</summary>
    public string Source { get; }

    /// <summary>Leaves that wait for a pack to be durable.</summary>
    public int WaitingLeaves => waiting.Count;

    public static async Task<ImageJournal> OpenAsync(
        VaultStore vault, string token, long lengthBytes, ImageRef? parent, CancellationToken cancellationToken)
    {
        var journal = new ImageJournal(vault, JournalFormat.SourceOf(vault.Packs.Ring, token, lengthBytes, parent));
        await foreach (var blob in vault.Packs.Backend.ListAsync(JournalFormat.FolderOf(journal.Source), cancellationToken))
        {
            journal.names.Add(blob.Name);
            foreach (var leaf in (await journal.ReadAsync(blob.Name, cancellationToken)).Keys)
                journal.places[leaf] = blob.Name;
        }

        return journal;
    }

    /// <summary>What an earlier session says of a leaf, or null.</summary>
    public async ValueTask<JournalRecord?> FindAsync(uint leaf, CancellationToken cancellationToken)
    {
        if (!places.TryGetValue(leaf, out var name))
            return null;
        if (open.Name != name)
            open = (name, await ReadAsync(name, cancellationToken));
        return open.Records.GetValueOrDefault(leaf);
    }

    /// <summary>Takes a leaf that is complete; it is written down once its packs are durable.</summary>
    public async ValueTask AddAsync(LeafWork leaf, CancellationToken cancellationToken)
    {
        var one = Describe(leaf);
        await gate.WaitAsync(cancellationToken);
        try
        {
            waiting.Add(one);
            await WriteAsync(vault.Options.JournalLeaves, cancellationToken);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Writes down every leaf whose packs are durable, if it is at least <paramref name="least"/>.</summary>
    public async ValueTask FlushAsync(int least, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            await WriteAsync(least, cancellationToken);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Removes the journal: its image is committed. What cannot be removed is left to a collection.</summary>
    public async Task RemoveAsync()
    {
        try
        {
            foreach (var name in names)
                await vault.Packs.Backend.DeleteAsync(name, CancellationToken.None);
        }
        catch (StoreException)
        {
            // The commit stands, and whoever asked for it must not hear of a failure.
        }
    }

    public void Dispose() => gate.Dispose();

    private static Waiting Describe(LeafWork leaf)
    {
        var index = (uint)(leaf.FirstSlot / ImageGeometry.FanOut);
        if (Array.TrueForAll(leaf.Slots, slot => slot.IsHole))
            return new(new(index, JournalForm.Hole, []), []);
        var node = new byte[JournalRecord.NodeLengthOf(leaf.Slots.Count(slot => slot.SubSlots is not null))];
        NodeFormat.WriteLeaf(leaf.Slots, node);
        return leaf.ParentLeaf is { } parent && parent.AsSpan().SequenceEqual(node)
            ? new(new(index, JournalForm.Parent, []), [])
            : new(new(index, JournalForm.Node, node), [.. leaf.Slots.SelectMany(slot => slot.Chunks).Select(chunk => chunk.PackSeq).Distinct()]);
    }

    private async ValueTask WriteAsync(int least, CancellationToken cancellationToken)
    {
        var ready = waiting.Where(one => Array.TrueForAll(one.Packs, pack => vault.HasPack(PackContent.Data, pack))).Take(JournalFormat.GreatestRecords).ToList();
        if (ready.Count == 0 || ready.Count < least)
            return;
        waiting.RemoveAll(ready.Contains);
        var name = JournalFormat.NewName(Source, vault.Log.Now);
        var blob = JournalFormat.Seal(vault.Packs.Ring, Source, [.. ready.Select(one => one.Record)]);
        try
        {
            names.Add(name);
            await vault.Packs.Backend.PutIfAbsentAsync(name, blob, cancellationToken);
        }
        catch (StoreException)
        {
            // A backup does not fail for want of a journal; what really is wrong with the storage, its packs will meet.
        }
    }

    /// <summary>A blob's records; none where it cannot be relied on.</summary>
    private async ValueTask<Dictionary<uint, JournalRecord>> ReadAsync(string name, CancellationToken cancellationToken)
    {
        var records = new Dictionary<uint, JournalRecord>();
        try
        {
            if (await vault.Packs.Backend.GetLengthAsync(name, cancellationToken) is not { } length || !JournalFormat.IsLength(length))
                return records;
            var blob = new byte[length];
            var read = await vault.Packs.Backend.ReadAsync(name, 0, blob, cancellationToken);
            foreach (var record in JournalFormat.Open(vault.Packs.Ring, Source, blob.AsSpan(0, read)))
                records[record.Leaf] = record;
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            // It says nothing, then.
        }

        return records;
    }

    private sealed record Waiting(JournalRecord Record, uint[] Packs);
}
