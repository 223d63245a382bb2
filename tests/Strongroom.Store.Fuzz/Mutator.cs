using System.Buffers.Binary;

namespace Strongroom.Store.Fuzz;

/// <summary>Changes an input in a few random ways, as AFL's havoc stage does. Not thread-safe.</summary>
internal sealed class Mutator(Random random)
{
    private const int GreatestLengthBytes = 32 << 10;
    private static readonly uint[] Interesting =
        [0, 1, 2, 16, 43, 44, 64, 92, 127, 128, 255, 256, 4080, 4096, 12_288, 32_767, 32_768, 65_535, 65_536, 262_144, 0xFFFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF];

    public byte[] Mutate(byte[] source, byte[] other)
    {
        var bytes = source.ToList();
        for (var i = 1 << random.Next(5); i > 0; i--)
            MutateOnce(bytes, other);
        return bytes.Count > GreatestLengthBytes ? [.. bytes.Take(GreatestLengthBytes)] : [.. bytes];
    }

    private void MutateOnce(List<byte> bytes, byte[] other)
    {
        var at = random.Next(bytes.Count + 1);
        var rest = bytes.Count - at;
        switch (random.Next(10))
        {
            case 0 when rest > 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when rest > 0:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2 when rest > 0:
                bytes[at] = (byte)(bytes[at] + random.Next(-16, 17));
                break;
            case 3 when rest >= 4:
                Write(bytes, at, 4, Interesting[random.Next(Interesting.Length)]);
                break;
            case 4 when rest >= 2:
                Write(bytes, at, 2, Interesting[random.Next(Interesting.Length)]);
                break;
            case 5 when rest >= 8:
                Write(bytes, at, 4, Interesting[random.Next(Interesting.Length)]);
                Write(bytes, at + 4, 4, random.Next(2) == 0 ? 0 : Interesting[random.Next(Interesting.Length)]);
                break;
            case 6 when rest > 0:
                bytes.RemoveRange(at, random.Next(Math.Min(rest, 64)) + 1);
                break;
            case 7:
                bytes.InsertRange(at, Enumerable.Repeat((byte)random.Next(256), random.Next(32) + 1));
                break;
            case 8 when rest > 0:
                bytes.InsertRange(random.Next(bytes.Count + 1), bytes.GetRange(at, random.Next(Math.Min(rest, 128)) + 1));
                break;
            case 9 when other.Length > 0:
                var from = random.Next(other.Length);
                var count = Math.Min(rest, random.Next(other.Length - from) + 1);
                for (var i = 0; i < count; i++)
                    bytes[at + i] = other[from + i];
                break;
        }
    }

    private static void Write(List<byte> bytes, int at, int count, uint value)
    {
        Span<byte> target = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(target, value);
        for (var i = 0; i < count; i++)
            bytes[at + i] = target[i];
    }
}
