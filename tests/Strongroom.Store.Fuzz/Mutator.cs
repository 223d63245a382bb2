using System.Buffers.Binary;

namespace Strongroom.Store.Fuzz;

/// <summary>Changes an input in a few random ways, as AFL's havoc stage does. Not thread-safe.</summary>
internal sealed class Mutator(Random random)
{
    private const int GreatestLengthBytes = 32 << 10;
    private static readonly uint[] Interesting =
        [0, 1, 2, 16, 43, 44, 64, 92, 127, 128, 255, 256, 4080, 4096, 12_288, 32_767, 32_768, 65_535, 65_536, 262_144, 0xFFFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF];

    private readonly byte[] work = new byte[GreatestLengthBytes];
    private int length;

    public byte[] Mutate(byte[] source, byte[] other)
    {
        length = Math.Min(source.Length, work.Length);
        source.AsSpan(0, length).CopyTo(work);
        for (var i = 1 << random.Next(5); i > 0; i--)
            MutateOnce(other);
        return work[..length];
    }

    private void MutateOnce(byte[] other)
    {
        var at = random.Next(length + 1);
        var rest = length - at;
        switch (random.Next(10))
        {
            case 0 when rest > 0:
                work[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when rest > 0:
                work[at] = (byte)random.Next(256);
                break;
            case 2 when rest > 0:
                work[at] = (byte)(work[at] + random.Next(-16, 17));
                break;
            case 3 when rest >= 4:
                BinaryPrimitives.WriteUInt32LittleEndian(work.AsSpan(at), AnyInteresting());
                break;
            case 4 when rest >= 2:
                BinaryPrimitives.WriteUInt16LittleEndian(work.AsSpan(at), (ushort)AnyInteresting());
                break;
            case 5 when rest >= 8:
                BinaryPrimitives.WriteUInt32LittleEndian(work.AsSpan(at), AnyInteresting());
                BinaryPrimitives.WriteUInt32LittleEndian(work.AsSpan(at + 4), random.Next(2) == 0 ? 0 : AnyInteresting());
                break;
            case 6 when rest > 0:
                var removed = random.Next(Math.Min(rest, 64)) + 1;
                work.AsSpan(at + removed, rest - removed).CopyTo(work.AsSpan(at));
                length -= removed;
                break;
            case 7:
                MakeRoom(at, random.Next(32) + 1).Fill((byte)random.Next(256));
                break;
            case 8 when rest > 0:
                Span<byte> copied = stackalloc byte[random.Next(Math.Min(rest, 128)) + 1];
                work.AsSpan(at, copied.Length).CopyTo(copied);
                var room = MakeRoom(random.Next(length + 1), copied.Length);
                copied[..room.Length].CopyTo(room);
                break;
            case 9 when other.Length > 0:
                var from = random.Next(other.Length);
                other.AsSpan(from, Math.Min(rest, random.Next(other.Length - from) + 1)).CopyTo(work.AsSpan(at));
                break;
        }
    }

    private uint AnyInteresting() => Interesting[random.Next(Interesting.Length)];

    /// <summary>Moves what is behind by so many bytes, or as many as still fit.</summary>
    private Span<byte> MakeRoom(int at, int count)
    {
        count = Math.Min(count, work.Length - length);
        work.AsSpan(at, length - at).CopyTo(work.AsSpan(at + count));
        length += count;
        return work.AsSpan(at, count);
    }
}
