using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Strongroom.Backup.FileRecovery.Browsing;

/// <summary>A path in a recovery point: names of raw bytes, as file systems have them. Immutable.</summary>
/// <remarks>As text it is percent-encoded, ready for a query: every byte but letters, digits and <c>-._~/</c> is <c>%XX</c>.</remarks>
public sealed class FilePath
{
    /// <summary>The longest path, in bytes: Linux's, and the name of a volume before it.</summary>
    public const int MaxLengthBytes = 4096 + MaxNameLengthBytes;

    /// <summary>The longest name, in bytes: 255 characters of NTFS in UTF-8 and some room.</summary>
    public const int MaxNameLengthBytes = 1024;

    public static readonly FilePath Root = new([]);

    private readonly byte[][] _names;

    private FilePath(byte[][] names) => _names = names;

    public bool IsRoot => _names.Length == 0;

    /// <summary>How many names there are from the root on.</summary>
    public int Depth => _names.Length;

    /// <summary>The last name; empty for the root.</summary>
    public ReadOnlyMemory<byte> Name => IsRoot ? default : _names[^1];

    public ReadOnlyMemory<byte> this[int index] => _names[index];

    /// <summary>Percent-encoded.</summary>
    public string Encoded => "/" + string.Join('/', _names.Select(static name => Encode(name)));

    /// <summary>For people: UTF-8, with U+FFFD for what is not.</summary>
    public string Text => "/" + string.Join('/', _names.Select(static name => Encoding.UTF8.GetString(name)));

    /// <summary>The bytes from a name on, each name with a slash before it; a lone slash when there is none.</summary>
    /// <param name="first">The index of the first name.</param>
    public byte[] ToBytes(int first)
    {
        var bytes = new List<byte>();
        foreach (var name in _names.AsSpan(first))
        {
            bytes.Add((byte)'/');
            bytes.AddRange(name);
        }

        return bytes.Count == 0 ? [(byte)'/'] : [.. bytes];
    }

    /// <exception cref="FileBrowsingException">NotFound: the path would be longer than any can be.</exception>
    public FilePath Child(ReadOnlyMemory<byte> name) => _names.Sum(static n => n.Length + 1) + name.Length + 1 <= MaxLengthBytes
        ? new([.. _names, name.ToArray()])
        : throw new FileBrowsingException(FileBrowsingFault.NotFound, "The path is too long.");

    /// <summary>Reads a percent-encoded path that begins with a slash. Slashes that follow each other, or stand at the end, count as one or none.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out FilePath? path)
    {
        path = null;
        if (text is null || text.Length > 3 * MaxLengthBytes || Decode(text) is not [(byte)'/', ..] bytes || bytes.Length > MaxLengthBytes) return false;
        var names = new List<byte[]>();
        foreach (var range in bytes.AsSpan().Split((byte)'/'))
        {
            var name = bytes[range];
            if (name.Length == 0) continue;
            if (!IsName(name)) return false;
            names.Add(name);
        }

        path = new([.. names]);
        return true;
    }

    /// <summary>Whether bytes can be a name: neither empty nor <c>.</c> or <c>..</c>, without slash and zero, not too long.</summary>
    public static bool IsName(ReadOnlySpan<byte> name) =>
        name.Length is > 0 and <= MaxNameLengthBytes && !name.ContainsAny((byte)'/', (byte)0) && !name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8);

    public static string Encode(ReadOnlySpan<byte> name)
    {
        var text = new StringBuilder(name.Length);
        foreach (var octet in name)
        {
            if (char.IsAsciiLetterOrDigit((char)octet) || "-._~"u8.Contains(octet)) text.Append((char)octet);
            else text.Append(CultureInfo.InvariantCulture, $"%{octet:X2}");
        }

        return text.ToString();
    }

    private static byte[]? Decode(string text)
    {
        var raw = Encoding.UTF8.GetBytes(text);
        var bytes = new List<byte>(raw.Length);
        for (var i = 0; i < raw.Length; i++)
        {
            if (raw[i] != '%')
            {
                bytes.Add(raw[i]);
                continue;
            }

            if (i + 2 >= raw.Length || !byte.TryParse(raw.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var octet)) return null;
            bytes.Add(octet);
            i += 2;
        }

        return [.. bytes];
    }
}
