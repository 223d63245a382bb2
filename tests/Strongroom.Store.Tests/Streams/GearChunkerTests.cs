using CsCheck;
using Strongroom.Store.Keys;
using Strongroom.Store.Streams;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Streams;

public sealed class GearChunkerTests
{
    private static readonly ulong[] Gear = GearTable.Derive(Ring(1));

    [Fact]
    public void Cuts_are_where_the_document_says_however_the_bytes_arrive()
    {
        // Noise with runs of one byte in it, which are cut at the greatest length or not at all.
        var content = Gen.Select(Gen.Int[0, 1 << 20], Gen.Int[0, 6_000_000], Gen.Int[0, 5_000_000]);
        content.Sample((seed, noise, run) =>
        {
            byte[] bytes = [.. TestVault.Noise(seed, noise), .. Enumerable.Repeat((byte)seed, run), .. TestVault.Noise(seed + 1, 2_000_000)];
            var expected = Reference(bytes);
            Assert.Equal(expected, Cut(bytes, new Random(seed), 700_000));
            Assert.Equal(expected, Cut(bytes, new Random(seed), int.MaxValue));
        }, iter: 15, threads: 1);
    }

    [Fact]
    public void Chunks_are_about_a_mebibyte_long_and_never_beyond_the_limits()
    {
        var lengths = Reference(TestVault.Noise(1, 100_000_000));
        Assert.All(lengths[..^1], length => Assert.InRange(length, 256 << 10, 4 << 20));
        Assert.InRange(lengths.Average(), 1_000_000, 1_500_000);
    }

    [Fact]
    public void Two_vaults_cut_the_same_bytes_differently()
    {
        var bytes = TestVault.Noise(2, 20_000_000);
        Assert.NotEqual(Reference(bytes), Cut(bytes, new Random(1), int.MaxValue, GearTable.Derive(Ring(2))));
        Assert.Equal(Gear, GearTable.Derive(Ring(1)));
    }

    /// <summary>Section 8 of the format's document, as plainly as it can be said.</summary>
    private static List<int> Reference(byte[] bytes)
    {
        var lengths = new List<int>();
        for (var start = 0; start < bytes.Length; start += lengths[^1])
        {
            var hash = 0UL;
            var end = Math.Min(bytes.Length, start + (4 << 20));
            var at = Math.Min(end, start + (256 << 10));
            while (at < end)
            {
                hash = (2 * hash) + Gear[bytes[at++]];
                if (hash < 1UL << (at - start <= 1 << 20 ? 42 : 46))
                    break;
            }

            lengths.Add(at - start);
        }

        return lengths;
    }

    private static List<int> Cut(byte[] bytes, Random random, int greatestRead, ulong[]? gear = null)
    {
        var chunker = new GearChunker(gear ?? Gear);
        var lengths = new List<int>();
        var (start, known) = (0, 0);
        while (start < bytes.Length)
        {
            var end = chunker.FindEnd(bytes.AsSpan(start, known - start));
            if (end > 0)
            {
                lengths.Add(end);
                start += end;
            }
            else if (known == bytes.Length)
            {
                lengths.Add(known - start);
                start = known;
            }
            else
            {
                known += (int)Math.Min(bytes.Length - known, random.NextInt64(1, greatestRead));
            }
        }

        return lengths;
    }

    private static KeyRing Ring(byte seed)
    {
        byte[] Key(int offset) => [.. Enumerable.Range(seed + offset, 32).Select(i => (byte)i)];
        return new(Guid.Empty, Key(0), Key(1), Key(2), Key(3), System.Collections.Immutable.ImmutableSortedDictionary<uint, byte[]>.Empty.Add(1, Key(4)));
    }
}
