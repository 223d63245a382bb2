using System.Text;
using Strongroom.Backup.FileRecovery.Browsing;
using Strongroom.Blocks;

namespace Strongroom.Testing;

/// <summary>Files of a recovery point that are made of nothing: one volume, <c>disk0</c>, and one that cannot be read, <c>disk1</c>.</summary>
public sealed class MemoryFiles : IFileReader, IFileTree
{
    private readonly Dictionary<string, (FileEntry Entry, byte[] Content)> _entries = new(StringComparer.Ordinal)
    {
        ["/disk0"] = (new() { Name = "disk0"u8.ToArray(), Kind = FileKind.Volume, SizeBytes = 1 << 30, Volume = new("ext4", "root", null) }, []),
        ["/disk1"] = (new() { Name = "disk1"u8.ToArray(), Kind = FileKind.Volume, SizeBytes = 1 << 20, Volume = new("swap", null, "It is swap space.") }, []),
    };

    /// <summary>What every call fails with, if anything.</summary>
    public FileBrowsingException? Failure { get; set; }

    /// <summary>From which offset on reading fails.</summary>
    public long FailsAt { get; set; } = long.MaxValue;

    public int OpenCount { get; private set; }

    /// <param name="path">Percent-encoded; its folder was added before.</param>
    public MemoryFiles Add(string path, FileKind kind, byte[]? content = null, string linkTarget = "", long inode = 0, int mode = 0x1A4)
    {
        Assert.True(FilePath.TryParse(path, out var parsed));
        _entries[parsed.Encoded] = (new()
        {
            Name = parsed.Name,
            Kind = kind,
            SizeBytes = content?.Length ?? 0,
            Mode = mode,
            UserId = 1000,
            GroupId = 3_000_000,
            ModifiedSeconds = 1_000_000_000,
            ModifiedNanoseconds = 123_456_700,
            Inode = inode,
            LinkCount = inode > 0 ? 2 : 1,
            LinkTarget = Encoding.UTF8.GetBytes(linkTarget),
        }, content ?? []);
        return this;
    }

    /// <summary>A file whose path is longer than any can be.</summary>
    public MemoryFiles AddTooLong(string folder, byte[] name)
    {
        _entries[$"{folder}/{FilePath.Encode(name)}"] = (new() { Name = name, Kind = FileKind.File }, []);
        return this;
    }

    public Task<IFileTree> OpenAsync(string key, Func<CancellationToken, Task<IReadOnlyList<IBlockDevice>>> openDisks, CancellationToken cancellationToken)
    {
        if (Failure is not null) throw Failure;
        OpenCount++;
        return Task.FromResult<IFileTree>(this);
    }

    public Task<FileEntry> FindAsync(FilePath path, CancellationToken cancellationToken) =>
        path.IsRoot ? Task.FromResult(new FileEntry { Name = default, Kind = FileKind.Directory }) : Task.FromResult(Get(path).Entry);

    public Task<FilePage> ListAsync(FilePath path, long position, int count, CancellationToken cancellationToken)
    {
        if (!path.IsRoot && !Get(path).Entry.IsFolder) throw new FileBrowsingException(path.Depth == 1 ? FileBrowsingFault.Unreadable : FileBrowsingFault.NotAFolder, "No folder.");
        var prefix = path.IsRoot ? "/" : path.Encoded + "/";
        var children = _entries.Where(e => e.Key.StartsWith(prefix, StringComparison.Ordinal) && !e.Key[prefix.Length..].Contains('/', StringComparison.Ordinal)).OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => e.Value.Entry).ToArray();
        if (position > children.Length) throw new FileBrowsingException(FileBrowsingFault.BadPosition, "No.");
        return Task.FromResult(new FilePage([.. children.Skip((int)position).Take(count)], position + count < children.Length ? position + count : null));
    }

    public Task<int> ReadAsync(FilePath path, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var content = Get(path).Content;
        var count = (int)Math.Min(Math.Min(buffer.Length, 1000), content.Length - offsetBytes);
        if (offsetBytes + count > FailsAt) throw new FileBrowsingException(FileBrowsingFault.Damaged, "The disk is damaged.");
        content.AsMemory((int)offsetBytes, count).CopyTo(buffer);
        return Task.FromResult(count);
    }

    public ValueTask DisposeAsync()
    {
        OpenCount--;
        return ValueTask.CompletedTask;
    }

    private (FileEntry Entry, byte[] Content) Get(FilePath path) => _entries.TryGetValue(path.Encoded, out var found) ? found : throw new FileBrowsingException(FileBrowsingFault.NotFound, "There is nothing.");
}
