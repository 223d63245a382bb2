using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Strongroom.Workloads.FileShares.Smb;

/// <summary>Names of accounts as numbers: between <c>S-1-5-21-1-2-3-1000</c> and the bytes of security descriptors.</summary>
internal static class Sid
{
    private const int HeaderBytes = 8;
    private const int MostParts = 15;
    private const long GreatestAuthority = (1L << 48) - 1;

    /// <exception cref="IOException">It is none.</exception>
    public static byte[] Parse(string text)
    {
        var parts = text.Split('-');
        if (parts.Length is < 3 or > 3 + MostParts || parts[0] != "S" || parts[1] != "1" || !TryParseAuthority(parts[2], out var authority)) throw None(text);
        var sid = new byte[HeaderBytes + ((parts.Length - 3) * 4)];
        BinaryPrimitives.WriteInt64BigEndian(sid, authority);
        (sid[0], sid[1]) = (1, (byte)(parts.Length - 3));
        for (var i = 3; i < parts.Length; i++)
        {
            if (!uint.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out var part)) throw None(text);
            BinaryPrimitives.WriteUInt32LittleEndian(sid.AsSpan(HeaderBytes + ((i - 3) * 4)), part);
        }

        return sid;
    }

    /// <summary>Of the bytes that begin with one.</summary>
    public static string Format(ReadOnlySpan<byte> sid)
    {
        var authority = BinaryPrimitives.ReadInt64BigEndian(sid) & GreatestAuthority;
        var text = new StringBuilder($"S-1-{authority.ToString(CultureInfo.InvariantCulture)}");
        if (sid[1] > MostParts) throw None("what is kept");
        for (var i = 0; i < sid[1]; i++) text.Append('-').Append(BinaryPrimitives.ReadUInt32LittleEndian(sid[(HeaderBytes + (i * 4))..]).ToString(CultureInfo.InvariantCulture));
        return text.ToString();
    }

    private static bool TryParseAuthority(string text, out long authority)
    {
        // Those of more than 32 bits are written in hexadecimal.
        var isNumber = text.StartsWith("0x", StringComparison.Ordinal)
            ? long.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out authority)
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out authority);
        return isNumber && authority is >= 0 and <= GreatestAuthority;
    }

    private static IOException None(string text) => new($"'{(text.Length > 100 ? text[..100] : text)}' is no account");
}
