using System.Runtime.InteropServices;
using SharpFuzz.Common;

namespace Strongroom.Store.Fuzz;

/// <summary>The map that instrumented code counts its branches in. Without instrumentation it stays empty. Not thread-safe.</summary>
internal sealed unsafe class Coverage : IDisposable
{
    private const int MapBytes = 1 << 16;
    private readonly byte* map = (byte*)NativeMemory.AllocZeroed(MapBytes);
    private readonly byte[] seen = new byte[MapBytes];

    public Coverage() => Trace.SharedMem = map;

    /// <summary>Branches seen, each with how often at least in powers of two.</summary>
    public int Count { get; private set; }

    public void Begin()
    {
        new Span<byte>(map, MapBytes).Clear();
        Trace.PrevLocation = 0;
    }

    /// <summary>True when this input went where none did before, or more often.</summary>
    public bool End()
    {
        var found = false;
        var words = new ReadOnlySpan<ulong>(map, MapBytes / 8);

        // One input touches few words: the others are skipped many at a time.
        for (var i = 0; words[i..].IndexOfAnyExcept(0UL) is var skipped and >= 0; i += skipped + 1)
            found |= Take((i + skipped) * 8);
        return found;
    }

    public void Dispose()
    {
        Trace.SharedMem = null;
        NativeMemory.Free(map);
    }

    private bool Take(int first)
    {
        var found = false;
        for (var at = first; at < first + 8; at++)
        {
            var bucket = Bucket(map[at]);
            if ((seen[at] & bucket) == bucket)
                continue;
            seen[at] |= bucket;
            Count++;
            found = true;
        }

        return found;
    }

    private static byte Bucket(byte hits) => hits switch
    {
        0 => 0,
        1 => 1,
        2 => 2,
        3 => 4,
        < 8 => 8,
        < 16 => 16,
        < 32 => 32,
        < 128 => 64,
        _ => 128,
    };
}
