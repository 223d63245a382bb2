namespace Strongroom.Backup.FileRecovery.Browsing.Archives;

/// <summary>A folder of a recovery point as a tar archive: owners, modes, times, links and devices. Names are relative, and begin with the folder's own.</summary>
/// <remarks>Sockets are left out: tar has none. Extended attributes are not kept. An error ends the archive before its end mark, so that it cannot be taken for whole.</remarks>
public static class TarArchive
{
    private const int PieceBytes = 2 << 20;

    // Beyond that further names of a file are copies of it. Of each: its first name, and what a dictionary needs.
    private const long MaxLinkedBytes = 16 << 20;
    private const int LinkedBytes = 128;

    /// <summary>Writes the archive.</summary>
    /// <exception cref="FileBrowsingException">Something in the folder cannot be read.</exception>
    public static async Task WriteAsync(IFileTree tree, FilePath top, Stream output, CancellationToken cancellationToken)
    {
        var linked = new Dictionary<(string Volume, long Inode), (byte[] Name, long SizeBytes)>();
        long linkedBytes = 0;
        await foreach (var (path, entry) in FileWalk.WalkAsync(tree, top, cancellationToken))
        {
            if (TypeOf(entry) is not { } type) continue;
            var name = path.ToBytes(Math.Max(0, top.Depth - 1))[1..];
            if (entry.IsFolder) name = [.. name, (byte)'/'];
            if (entry is { Kind: FileKind.File, LinkCount: > 1, Inode: > 0 })
            {
                var key = (path.Depth > 0 ? FilePath.Encode(path[0].Span) : "", entry.Inode);
                if (linked.TryGetValue(key, out var first) && first.SizeBytes == entry.SizeBytes)
                {
                    await output.WriteAsync(TarHeader.Of(name, entry, '1', 0, first.Name), cancellationToken);
                    continue;
                }

                linkedBytes += LinkedBytes + name.Length;
                if (linkedBytes <= MaxLinkedBytes) linked[key] = (name, entry.SizeBytes);
            }

            var sizeBytes = entry.Kind == FileKind.File ? entry.SizeBytes : 0;
            await output.WriteAsync(TarHeader.Of(name, entry.Volume is null ? entry : entry with { Mode = 0x1ED /* 0755 */ }, type, sizeBytes, entry.LinkTarget.Span), cancellationToken);
            if (sizeBytes > 0) await WriteContentAsync(tree, path, sizeBytes, output, cancellationToken);
        }

        await output.WriteAsync(new byte[2 * TarHeader.BlockBytes], cancellationToken);
    }

    private static async Task WriteContentAsync(IFileTree tree, FilePath path, long sizeBytes, Stream output, CancellationToken cancellationToken)
    {
        await using var content = new FileContentStream(tree, path, sizeBytes);
        await content.CopyToAsync(output, PieceBytes, cancellationToken);
        await output.WriteAsync(new byte[TarHeader.Padding(sizeBytes)], cancellationToken);
    }

    private static char? TypeOf(FileEntry entry) => entry.Kind switch
    {
        FileKind.File => '0',
        FileKind.SymbolicLink => '2',
        FileKind.CharacterDevice => '3',
        FileKind.BlockDevice => '4',
        FileKind.Directory or FileKind.Volume => '5',
        FileKind.Fifo => '6',
        _ => null,
    };
}
