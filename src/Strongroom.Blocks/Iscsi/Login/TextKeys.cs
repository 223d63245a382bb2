using System.Text;
using Strongroom.Blocks.Iscsi.Pdus;

namespace Strongroom.Blocks.Iscsi.Login;

/// <summary>The key=value pairs of login and text PDUs (RFC 7143, 6.1), in order.</summary>
internal static class TextKeys
{
    /// <summary>All parts of one text together.</summary>
    public const int LongestTextBytes = 64 * 1024;

    private const int LongestKeyBytes = 63;
    private const int MostPairs = 256;
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="IscsiProtocolException">The text is malformed, or has a key twice.</exception>
    public static List<KeyValuePair<string, string>> Parse(ReadOnlySpan<byte> text)
    {
        var pairs = new List<KeyValuePair<string, string>>();
        while (!text.IsEmpty)
        {
            var end = text.IndexOf((byte)0);
            var pair = end < 0 ? text : text[..end];
            text = end < 0 ? [] : text[(end + 1)..];
            if (pair.IsEmpty)
                continue; // padding that was counted as data
            if (pairs.Count == MostPairs)
                throw new IscsiProtocolException($"A text has more than {MostPairs} keys.");
            pairs.Add(ParsePair(pair));
        }

        if (pairs.DistinctBy(pair => pair.Key).Count() != pairs.Count)
            throw new IscsiProtocolException("A text has a key twice.");
        return pairs;
    }

    public static byte[] Format(IEnumerable<KeyValuePair<string, string>> pairs)
    {
        var text = new StringBuilder();
        foreach (var (key, value) in pairs)
            text.Append(key).Append('=').Append(value).Append('\0');
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static KeyValuePair<string, string> ParsePair(ReadOnlySpan<byte> pair)
    {
        var equals = pair.IndexOf((byte)'=');
        if (equals is < 1 or > LongestKeyBytes)
            throw new IscsiProtocolException("A text has a pair without a key.");
        try
        {
            return new(Strict.GetString(pair[..equals]), Strict.GetString(pair[(equals + 1)..]));
        }
        catch (DecoderFallbackException)
        {
            throw new IscsiProtocolException("A text is not UTF-8.");
        }
    }
}
