using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Strongroom.Demo;

/// <summary>Made-up content that behaves like real files: text that compresses well, binaries that do not, pages of a database between them.</summary>
/// <remarks>The same seed makes the same bytes on every machine. Not safe for concurrent use. Not random in any cryptographic sense.</remarks>
internal sealed class SampleContent(ulong seed)
{
    private static readonly string[] Words =
    [
        "request", "served", "from", "cache", "upstream", "connection", "closed", "by", "peer", "session", "user", "order", "invoice",
        "item", "shipped", "warehouse", "north", "south", "checkout", "payment", "accepted", "declined", "retry", "timeout", "queue",
        "worker", "started", "finished", "backup", "snapshot", "disk", "sector", "index", "page", "commit", "rollback", "lock", "released",
    ];

    private static readonly byte[][] WordBytes = [.. Words.Select(word => Encoding.ASCII.GetBytes(word + " "))];

    private ulong state = seed;

    /// <summary>The next number of SplitMix64 (Steele, Lea, Flood, 2014).</summary>
    public ulong Next()
    {
        var z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>Fills the span with bytes that no compressor makes smaller.</summary>
    public void FillRandom(Span<byte> span)
    {
        var numbers = MemoryMarshal.Cast<byte, ulong>(span);
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = BitConverter.IsLittleEndian ? Next() : BinaryPrimitives.ReverseEndianness(Next());
        foreach (ref var last in span[(numbers.Length * sizeof(ulong))..])
            last = (byte)Next();
    }

    /// <summary>Fills the span with lines that look like a log.</summary>
    public void FillText(Span<byte> span)
    {
        Span<byte> line = stackalloc byte[17];
        for (var at = 0; at < span.Length;)
        {
            var number = Next();
            // Eight words from one number, then a line's end with a counter in it.
            for (var i = 0; i < 8 && at < span.Length; i++, number >>= 8)
                at += Put(WordBytes[(int)((number & 0xFF) % (ulong)WordBytes.Length)], span[at..]);
            Next().TryFormat(line, out var written, "x16", CultureInfo.InvariantCulture);
            line[written] = (byte)'\n';
            at += Put(line[..(written + 1)], span[at..]);
        }
    }

    /// <summary>Fills the span with 8 KiB pages: a header, rows of text and numbers, a free tail of zeros.</summary>
    public void FillPages(Span<byte> span)
    {
        const int pageBytes = 8192;
        for (var at = 0; at < span.Length; at += pageBytes)
        {
            var page = span[at..Math.Min(at + pageBytes, span.Length)];
            page.Clear();
            FillRandom(page[..Math.Min(64, page.Length)]);
            var used = Math.Min(page.Length, 4096 + (int)(Next() % 3072));
            if (used <= 64)
                continue;
            FillText(page[64..used]);
            for (var row = 64; row + 40 < used; row += 160)
                FillRandom(page.Slice(row, 40));
        }
    }

    private static int Put(ReadOnlySpan<byte> from, Span<byte> to)
    {
        var length = Math.Min(from.Length, to.Length);
        from[..length].CopyTo(to);
        return length;
    }
}
