namespace Strongroom.Store.Images;

/// <summary>Plaintext of up to 64 KiB each, the most recently used ones. Thread-safe.</summary>
/// <remarks>
/// Bytes are copied in and out under a lock, a few microseconds at most: so the buffers are the cache's own and used again, and a reader of
/// random places leaves no garbage of 64 KiB behind each read.
/// </remarks>
internal sealed class PieceCache(int capacity)
{
    private readonly Lock gate = new();
    private readonly Dictionary<PieceKey, LinkedListNode<Piece>> pieces = [];
    private readonly LinkedList<Piece> order = new();

    public bool Contains(PieceKey key)
    {
        lock (gate)
            return pieces.ContainsKey(key);
    }

    /// <summary>Copies from a piece, from byte <paramref name="within"/> on. False when it is not there.</summary>
    public bool TryRead(PieceKey key, int within, Span<byte> target)
    {
        lock (gate)
        {
            if (!pieces.TryGetValue(key, out var node) || within + target.Length > node.Value.LengthBytes)
                return false;
            order.Remove(node);
            order.AddFirst(node);
            node.Value.Buffer.AsSpan(within, target.Length).CopyTo(target);
            return true;
        }
    }

    /// <summary>Keeps a copy.</summary>
    public void Add(PieceKey key, ReadOnlySpan<byte> content)
    {
        lock (gate)
        {
            if (pieces.ContainsKey(key))
                return;
            var buffer = Array.Empty<byte>();
            if (pieces.Count >= capacity)
            {
                var last = order.Last!.Value;
                order.RemoveLast();
                pieces.Remove(last.Key);
                buffer = last.Buffer;
            }

            if (buffer.Length < content.Length)
                buffer = GC.AllocateUninitializedArray<byte>(content.Length);
            content.CopyTo(buffer);
            pieces[key] = order.AddFirst(new Piece(key, buffer, content.Length));
        }
    }

    public void Clear()
    {
        lock (gate)
        {
            pieces.Clear();
            order.Clear();
        }
    }

    private readonly record struct Piece(PieceKey Key, byte[] Buffer, int LengthBytes);
}

/// <summary>Part <paramref name="Part"/> of a chunk; a chunk of up to 64 KiB is its own part 0.</summary>
internal readonly record struct PieceKey(uint PackSeq, ushort Ordinal, int Part);
