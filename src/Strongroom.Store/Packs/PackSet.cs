namespace Strongroom.Store.Packs;

/// <summary>A pack in the storage.</summary>
internal readonly record struct PackInfo(uint PackSeq, PackContent Content, long LengthBytes);

/// <summary>The packs that are in the vault: number, content, length. Thread-safe; about 40 bytes a pack.</summary>
internal sealed class PackSet
{
    private readonly Lock gate = new();
    private readonly Dictionary<uint, (PackContent Content, long LengthBytes)> packs = [];
    private long lengthBytes;
    private uint greatest;

    public int Count
    {
        get
        {
            lock (gate)
                return packs.Count;
        }
    }

    public long LengthBytes => Interlocked.Read(ref lengthBytes);

    /// <summary>The greatest number ever seen; 0 when there is none.</summary>
    public uint Greatest => Volatile.Read(ref greatest);

    public PackInfo? Find(uint packSeq)
    {
        lock (gate)
            return packs.TryGetValue(packSeq, out var pack) ? new(packSeq, pack.Content, pack.LengthBytes) : null;
    }

    public void Add(PackContent content, uint packSeq, long packLengthBytes)
    {
        lock (gate)
        {
            if (!packs.TryAdd(packSeq, (content, packLengthBytes)))
                return;
            Interlocked.Add(ref lengthBytes, packLengthBytes);
            Volatile.Write(ref greatest, Math.Max(greatest, packSeq));
        }
    }

    public void Remove(uint packSeq)
    {
        lock (gate)
        {
            if (packs.Remove(packSeq, out var pack))
                Interlocked.Add(ref lengthBytes, -pack.LengthBytes);
        }
    }

    public bool Contains(PackContent content, uint packSeq)
    {
        lock (gate)
            return packs.TryGetValue(packSeq, out var pack) && pack.Content == content;
    }

    public IReadOnlyList<PackInfo> ToList()
    {
        lock (gate)
            return [.. packs.Select(pack => new PackInfo(pack.Key, pack.Value.Content, pack.Value.LengthBytes))];
    }
}
