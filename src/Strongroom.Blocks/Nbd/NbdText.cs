using System.Text;

namespace Strongroom.Blocks.Nbd;

/// <summary>What a server says in words, made fit for messages and logs: short, on one line, and without anything that a terminal would obey.</summary>
internal static class NbdText
{
    private const int LongestText = 256;

    public static string Printable(ReadOnlySpan<byte> text) => Printable(Encoding.UTF8.GetString(text[..Math.Min(text.Length, 4 * LongestText)]));

    public static string Printable(string text) =>
        string.Create(Math.Min(text.Length, LongestText), text, (target, source) =>
        {
            for (var index = 0; index < target.Length; index++)
                target[index] = char.IsControl(source[index]) || source[index] is '\u2028' or '\u2029' ? ' ' : source[index];
        });
}
