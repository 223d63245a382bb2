namespace Strongroom.Store.Caching;

/// <summary>The last pieces that left the queue of a <see cref="CacheStripe"/>, by hash: 64 bits are enough for what decides only how long something stays. Not for concurrent use.</summary>
internal sealed class GhostList(int capacity)
{
    private readonly HashSet<ulong> hashes = [];
    private readonly ulong[] ring = new ulong[capacity];
    private int next;

    public void Add(in PieceKey key)
    {
        hashes.Remove(ring[next]);
        ring[next] = key.Hash;
        hashes.Add(key.Hash);
        next = (next + 1) % ring.Length;
    }

    /// <summary>True when it was there.</summary>
    public bool Remove(in PieceKey key) => hashes.Remove(key.Hash);
}
