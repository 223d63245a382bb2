using System.IO.Compression;
using System.Text;

namespace Strongroom.Backup.FileRecovery.Browsing.Archives;

/// <summary>A folder of a recovery point as a zip archive, for people: files, folders and symbolic links with their modes and times.</summary>
/// <remarks>
/// Names are UTF-8; bytes that are not, backslashes and control characters are <c>%XX</c>, so that no name means another place anywhere. Fifos,
/// sockets and devices are left out. Not compressed: the connection is faster than compressing would be. At most <see cref="MaxEntries"/> with <see cref="MaxNameBytes"/>: zip's list of names is written last and kept in memory until then.
/// </remarks>
public static class ZipFolder
{
    public const int MaxEntries = 200_000;

    /// <summary>The most that all names have together, each with the folders before it.</summary>
    public const int MaxNameBytes = 32 << 20;

    private const int PieceBytes = 2 << 20;

    private static readonly DateTimeOffset s_first = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset s_last = new(2107, 12, 31, 23, 59, 58, TimeSpan.Zero);

    /// <summary>Writes the archive.</summary>
    /// <exception cref="FileBrowsingException">Something in the folder cannot be read, or there is too much in it.</exception>
    public static async Task WriteAsync(IFileTree tree, FilePath top, Stream output, CancellationToken cancellationToken)
    {
        await using var sent = new AsyncWrites(output);
        var zip = await ZipArchive.CreateAsync(sent, ZipArchiveMode.Create, leaveOpen: true, Encoding.UTF8, cancellationToken);
        var (count, nameBytes) = (0, 0L);
        var first = Math.Max(0, top.Depth - 1);
        await foreach (var (path, entry) in FileWalk.WalkAsync(tree, top, cancellationToken))
        {
            if (!entry.IsFolder && entry.Kind is not (FileKind.File or FileKind.SymbolicLink)) continue;
            if (++count > MaxEntries) throw new FileBrowsingException(FileBrowsingFault.Damaged, $"There are more than {MaxEntries} files below '{top.Text}': take it as tar.");
            var name = string.Join('/', Enumerable.Range(first, path.Depth - first).Select(i => Name(path[i].Span)));
            nameBytes += Encoding.UTF8.GetByteCount(name);
            if (nameBytes > MaxNameBytes) throw new FileBrowsingException(FileBrowsingFault.Damaged, $"The names below '{top.Text}' have more than {MaxNameBytes >> 20} MiB: take it as tar.");
            await AddAsync(zip, tree, path, entry, name, cancellationToken);
            await sent.SendAsync(cancellationToken);
        }

        // Not where something failed: without its list at the end nobody takes the archive for whole.
        await zip.DisposeAsync();
        await sent.SendAsync(cancellationToken);
    }

    private static async Task AddAsync(ZipArchive zip, IFileTree tree, FilePath path, FileEntry entry, string name, CancellationToken cancellationToken)
    {
        var made = zip.CreateEntry(entry.IsFolder ? name + "/" : name, CompressionLevel.NoCompression);
        if (entry.ModifiedAt is { } time) made.LastWriteTime = time < s_first ? s_first : time > s_last ? s_last : time;
        var type = entry.IsFolder ? ModeBits.Folder : entry.Kind == FileKind.SymbolicLink ? ModeBits.Link : ModeBits.Regular;
        made.ExternalAttributes = (type | (entry.Volume is null ? entry.Mode & 0x1FF : 0x1ED)) << 16;
        if (entry.IsFolder) return;
        await using var content = await made.OpenAsync(cancellationToken);
        if (entry.Kind == FileKind.SymbolicLink)
        {
            await content.WriteAsync(entry.LinkTarget, cancellationToken);
            return;
        }

        await using var file = new FileContentStream(tree, path, entry.SizeBytes);
        await file.CopyToAsync(content, PieceBytes, cancellationToken);
    }

    /// <summary>A name as text that means the same folder to every program.</summary>
    internal static string Name(ReadOnlySpan<byte> name)
    {
        var text = new StringBuilder(name.Length);
        while (name.Length > 0)
        {
            var status = Rune.DecodeFromUtf8(name, out var rune, out var taken);
            if (status == System.Buffers.OperationStatus.Done && rune.Value is not ('\\' or '%' or ':') && !Rune.IsControl(rune)) text.Append(rune.ToString());
            else foreach (var octet in name[..taken]) text.Append(System.Globalization.CultureInfo.InvariantCulture, $"%{octet:X2}");
            name = name[taken..];
        }

        return text.ToString();
    }
}
