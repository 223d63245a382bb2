using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Strongroom.Store.Streams;

/// <summary>Finds where the chunk at hand ends: a gear hash, cut more willingly after the average (normalised chunking). Not for concurrent use.</summary>
/// <remarks>
/// The method is that of FastCDC (Xia and others, USENIX ATC 2016), with the comparison of the hash's upper bits in place of a mask. The
/// cuts depend on the bytes alone, not on how many are there at a time.
/// </remarks>
internal sealed class GearChunker(ulong[] gear)
{
    public const int LeastLengthBytes = 256 << 10;
    public const int AverageLengthBytes = 1 << 20;
    public const int GreatestLengthBytes = StreamNode.GreatestChunkLengthBytes;
    private const ulong UnwillingLimit = 1UL << 42;
    private const ulong WillingLimit = 1UL << 46;
    private int position = LeastLengthBytes;
    private ulong hash;

    /// <summary>Goes on where it stopped in the chunk that <paramref name="chunk"/> begins with. The length of that chunk, or -1 when its end is not there yet.</summary>
    public int FindEnd(ReadOnlySpan<byte> chunk)
    {
        var end = Math.Min(chunk.Length, GreatestLengthBytes);
        var found = position < AverageLengthBytes ? Scan(chunk, Math.Min(end, AverageLengthBytes), UnwillingLimit) : -1;
        if (found < 0)
            found = Scan(chunk, end, WillingLimit);
        if (found < 0 && end == GreatestLengthBytes)
            found = end;
        if (found >= 0)
            Restart();
        return found;
    }

    /// <summary>Forgets the chunk at hand: the next begins anew.</summary>
    public void Restart() => (position, hash) = (LeastLengthBytes, 0);

    private int Scan(ReadOnlySpan<byte> chunk, int end, ulong limit)
    {
        ref var bytes = ref MemoryMarshal.GetReference(chunk);
        ref var table = ref MemoryMarshal.GetArrayDataReference(gear);
        var at = position;
        var h = hash;

        // Four bytes at a time: what each adds is summed up apart from the hash, whose chain is then one step for four bytes.
        for (; at + 4 <= end; at += 4)
        {
            var sum1 = Unsafe.Add(ref table, (nint)Unsafe.Add(ref bytes, at));
            var sum2 = (sum1 << 1) + Unsafe.Add(ref table, (nint)Unsafe.Add(ref bytes, at + 1));
            var sum3 = (sum2 << 1) + Unsafe.Add(ref table, (nint)Unsafe.Add(ref bytes, at + 2));
            var sum4 = (sum3 << 1) + Unsafe.Add(ref table, (nint)Unsafe.Add(ref bytes, at + 3));
            var h1 = (h << 1) + sum1;
            var h2 = (h << 2) + sum2;
            var h3 = (h << 3) + sum3;
            h = (h << 4) + sum4;
            if (h1 < limit)
                return at + 1;
            if (h2 < limit)
                return at + 2;
            if (h3 < limit)
                return at + 3;
            if (h < limit)
                return at + 4;
        }

        for (; at < end; at++)
        {
            h = (h << 1) + Unsafe.Add(ref table, (nint)Unsafe.Add(ref bytes, at));
            if (h < limit)
                return at + 1;
        }

        if (at > position)
            (position, hash) = (at, h);
        return -1;
    }
}
