using System.Text;

namespace Strongroom.Store.Trees;

/// <summary>Names beside a name that is taken: <c>report.txt</c>, <c>report (1).txt</c>, <c>report (2).txt</c>. At most 255 bytes; what is too long loses the end of what is before the number.</summary>
internal static class CopyNames
{
    private const int GreatestSuffixBytes = 64;
    private const int GreatestContinuationBytes = 3;

    public static byte[] Of(ReadOnlySpan<byte> name, int number)
    {
        // A dot at the beginning hides a file; behind it nothing begins that says its kind.
        var dot = name.LastIndexOf((byte)'.');
        if (dot <= 0 || name.Length - dot > GreatestSuffixBytes)
            dot = name.Length;
        var mark = Encoding.ASCII.GetBytes($" ({number})");
        var room = TreePage.GreatestNameLengthBytes - mark.Length - (name.Length - dot);
        return [.. name[..(dot <= room ? dot : WholeCharacters(name, room))], .. mark, .. name[dot..]];
    }

    /// <summary>Does not cut through a character, if it is UTF-8.</summary>
    private static int WholeCharacters(ReadOnlySpan<byte> name, int end)
    {
        for (var back = 0; back <= GreatestContinuationBytes; back++)
        {
            if ((name[end - back] & 0xC0) != 0x80)
                return end - back;
        }

        return end;
    }
}
