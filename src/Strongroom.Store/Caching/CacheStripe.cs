using System.Security.Cryptography;

namespace Strongroom.Store.Caching;

/// <summary>The part of a <see cref="ReadCache"/> that one lock guards: plaintext of up to 64 KiB each. Thread-safe.</summary>
/// <remarks>
/// 2Q (Johnson and Shasha, VLDB 1994): what comes for the first time passes through a queue, whatever happens to it there, and only what is
/// wanted again after it left that queue stays by recency. So one long read, in pieces of 4 KiB too, throws out a quarter at the most.
/// Bytes are copied in and out under the lock, a few microseconds at most: so the buffers are the cache's own and used again.
/// </remarks>
internal sealed class CacheStripe(int capacity)
{
    private const int PieceLengthBytes = ReadCache.PieceLengthBytes;
    private readonly int queueLimit = Math.Max(1, capacity / 4);
    private readonly Lock gate = new();
    private readonly Dictionary<PieceKey, LinkedListNode<Piece>> pieces = [];
    private readonly LinkedList<Piece> queue = new();
    private readonly LinkedList<Piece> frequent = new();
    private readonly Stack<LinkedListNode<Piece>> free = new();
    private readonly GhostList ghosts = new(Math.Max(1, capacity / 2));
    private int made;
    private long hits;
    private long misses;

    /// <summary>What it holds, and how it served.</summary>
    public ReadCacheStatistics Statistics
    {
        get
        {
            lock (gate)
                return new(hits, misses, pieces.Count, (long)made * PieceLengthBytes);
        }
    }

    /// <summary>Copies from a piece, from byte <paramref name="within"/> on. False when it is not there.</summary>
    public bool TryRead(in PieceKey key, int within, Span<byte> target)
    {
        lock (gate)
        {
            if (!pieces.TryGetValue(key, out var node) || within + target.Length > node.Value.LengthBytes)
            {
                misses++;
                return false;
            }

            hits++;
            var piece = node.Value;
            if (piece.IsFrequent && frequent.First != node)
            {
                frequent.Remove(node);
                frequent.AddFirst(node);
            }

            piece.Buffer.AsSpan(within, target.Length).CopyTo(target);
            return true;
        }
    }

    public bool Contains(in PieceKey key)
    {
        lock (gate)
            return pieces.ContainsKey(key);
    }

    /// <summary>Keeps a copy.</summary>
    public void Add(in PieceKey key, ReadOnlySpan<byte> content)
    {
        lock (gate)
        {
            if (pieces.ContainsKey(key))
                return;
            var isFrequent = ghosts.Remove(key);
            var node = TakeNode();
            var piece = node.Value;
            (piece.Key, piece.LengthBytes, piece.IsFrequent) = (key, content.Length, isFrequent);
            content.CopyTo(piece.Buffer);
            (isFrequent ? frequent : queue).AddFirst(node);
            pieces[key] = node;
        }
    }

    /// <summary>Wipes what belongs to a vault.</summary>
    public void Forget(long vault)
    {
        lock (gate)
        {
            foreach (var (key, node) in pieces.Where(piece => piece.Key.Chunk.Vault == vault).ToList())
            {
                var piece = node.Value;
                // All of it: behind a short piece lies the end of an earlier one, perhaps of another vault.
                CryptographicOperations.ZeroMemory(piece.Buffer);
                node.List!.Remove(node);
                pieces.Remove(key);
                free.Push(node);
            }
        }
    }

    private LinkedListNode<Piece> TakeNode()
    {
        if (free.TryPop(out var node))
            return node;
        if (made < capacity)
        {
            made++;
            return new(new(GC.AllocateUninitializedArray<byte>(PieceLengthBytes, pinned: true)));
        }

        var isOfQueue = queue.Count > queueLimit || frequent.Count == 0;
        var list = isOfQueue ? queue : frequent;
        node = list.Last!;
        list.RemoveLast();
        pieces.Remove(node.Value.Key);
        if (isOfQueue)
            ghosts.Add(node.Value.Key);
        return node;
    }

    /// <param name="buffer">Pinned, so that it does not lie among what the collector moves.</param>
    private sealed class Piece(byte[] buffer)
    {
        public byte[] Buffer => buffer;

        public PieceKey Key { get; set; }

        public int LengthBytes { get; set; }

        public bool IsFrequent { get; set; }
    }
}
