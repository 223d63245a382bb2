using System.Runtime.InteropServices;

namespace Strongroom.Bench.Disks;

/// <summary>Random numbers that are the same for a seed on every machine and runtime (SplitMix64, Steele, Lea and Flood 2014). Not for keys; not for concurrent use.</summary>
internal sealed class SequenceRandom(ulong seed)
{
    private const ulong Step = 0x9E3779B97F4A7C15;
    private ulong state = seed;

    /// <summary>The number at a place of a sequence, without the ones before it.</summary>
    public static ulong At(ulong seed, ulong place) => Mix(seed + ((place + 1) * Step));

    public ulong Next() => Mix(state += Step);

    /// <summary>From 0 to <paramref name="end"/>, without it.</summary>
    public long NextBelow(long end) => (long)Math.BigMul(Next(), (ulong)end, out _);

    /// <summary>From 0 to 1, without it.</summary>
    public double NextFraction() => (Next() >> 11) * (1.0 / (1UL << 53));

    public void Fill(Span<byte> target)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(target);
        for (var i = 0; i < words.Length; i++)
            words[i] = Next();
        Span<byte> last = stackalloc byte[8];
        MemoryMarshal.Write(last, Next());
        last[..(target.Length % 8)].CopyTo(target[(words.Length * 8)..]);
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
