using System.Text;
using Strongroom.Store.Blobs;

namespace Strongroom.Store;

/// <summary>The text of a file that holds a key: a plain file of at most 64 KiB, so that a mistyped path ends with a message and not in an endless device.</summary>
public static class KeyText
{
    private const int GreatestLengthBytes = 64 * 1024;

    /// <summary>Reads the whole file as UTF-8.</summary>
    /// <exception cref="StoreException">WrongKey: nothing is there, or what is there can be no key.</exception>
    /// <exception cref="IOException">It cannot be looked at or read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static string Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (FileIdentities.Look(path, followsLink: true)?.Type != FileType.Regular)
            throw new StoreException(StoreErrorKind.WrongKey, Path.Exists(path) ? $"'{path}' is no plain file, and a key is read from nothing else. Name the key's file." : $"There is no file '{path}'. Check the path.");
        using var file = File.OpenRead(path);
        var content = new byte[GreatestLengthBytes + 1];
        var length = file.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
        return length <= GreatestLengthBytes
            ? Encoding.UTF8.GetString(content, 0, length)
            : throw new StoreException(StoreErrorKind.WrongKey, $"'{path}' is longer than {GreatestLengthBytes / 1024} KiB, and no key is. Name the key's file.");
    }
}
