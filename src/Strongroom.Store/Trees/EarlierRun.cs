using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using Strongroom.Store.Manifests;

namespace Strongroom.Store.Trees;

/// <summary>Knows again what an earlier run of the same restore has put in place before it was cut off. Each thing is one entry's only. Thread-safe.</summary>
/// <remarks>
/// Memory: a line for each entry that is in place. A kill leaves whole files only; when the machine stopped, their names may have come to the disk without all they
/// held. So what is from before the machine's last start is read and compared.
/// </remarks>
/// <param name="tree">Where the contents are.</param>
/// <param name="takesCopies">What is in place may bear the name of a copy.</param>
/// <param name="startedAt">When the machine started.</param>
internal sealed class EarlierRun(ManifestReader tree, bool takesCopies, FileTime startedAt)
{
    private const int ComparedLengthBytes = 256 << 10;
    private const int ClockErrorSeconds = 60;
    private readonly ConcurrentDictionary<UInt128, byte> taken = [];

    /// <summary>When the machine started, or a little later.</summary>
    public static FileTime Started() =>
        new(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - (Environment.TickCount64 / 1000) + ClockErrorSeconds, 0);

    /// <summary>What has this name now is of this restore.</summary>
    public void Add(WalkedFolder folder, ReadOnlySpan<byte> name) => TryTake(folder, name);

    /// <summary>The name under which a file, link, FIFO, socket or device is in place; null when it is not.</summary>
    /// <exception cref="IOException">What is there cannot be read, or is what a stop of the machine has left of the file.</exception>
    public async ValueTask<byte[]?> FindAsync(FolderHandle handle, WalkedFolder folder, TreeEntry entry, CancellationToken cancellationToken)
    {
        foreach (var (name, there) in Existing(handle, entry))
        {
            if (!IsSame(handle, name, there, entry))
                continue;
            if (entry.Kind == TreeEntryKind.File && IsBefore(there.ChangedAt, startedAt) && !await HasContentAsync(handle, name, entry, cancellationToken))
            {
                if (takesCopies)
                    continue;
                throw new IOException("a file of its length and time is there with another content, as a stop of the machine may leave one; delete that and restore again");
            }

            if (TryTake(folder, name))
                return name;
        }

        return null;
    }

    /// <summary>The name under which a further name of a file is in place; null when it is not.</summary>
    public byte[]? FindLink(FolderHandle from, ReadOnlySpan<byte> fromName, FolderHandle handle, WalkedFolder folder, TreeEntry entry)
    {
        var first = from.Stat(fromName);
        foreach (var (name, there) in Existing(handle, entry))
        {
            if ((there.Device, there.Inode) == (first.Device, first.Inode) && TryTake(folder, name))
                return name;
        }

        return null;
    }

    /// <summary>The copy that was made of a folder, finished or not; null when there is none. The caller disposes the handle.</summary>
    public (FolderHandle Handle, byte[] Name)? FindFolder(FolderHandle handle, WalkedFolder folder, TreeEntry entry, UnfinishedFolders unfinished)
    {
        foreach (var (name, there) in Existing(handle, entry))
        {
            if (there.Kind != TreeEntryKind.Folder || handle.TryOpenFolder(name) is not { } copy)
                continue;
            if ((unfinished.Take(copy, isMade: false) || there.ModifiedAt == entry.ModifiedAt) && TryTake(folder, name))
                return (copy, name);
            copy.Dispose();
        }

        return null;
    }

    /// <summary>What has the entry's name, and while something has, its copies' names.</summary>
    private IEnumerable<(byte[] Name, FileStat There)> Existing(FolderHandle handle, TreeEntry entry)
    {
        var name = entry.Name.ToArray();
        for (var number = 1; handle.TryStat(name) is { } there; number++)
        {
            yield return (name, there);
            if (!takesCopies)
                yield break;
            name = CopyNames.Of(entry.Name.Span, number);
        }
    }

    private static bool IsSame(FolderHandle handle, byte[] name, FileStat there, TreeEntry entry) => there.Kind == entry.Kind && entry.Kind switch
    {
        TreeEntryKind.SymbolicLink => handle.ReadLink(name).AsSpan().SequenceEqual(entry.LinkTarget.Span),
        TreeEntryKind.CharacterDevice or TreeEntryKind.BlockDevice =>
            (there.DeviceMajor, there.DeviceMinor, there.ModifiedAt) == (entry.DeviceMajor, entry.DeviceMinor, entry.ModifiedAt),
        TreeEntryKind.File => (there.LengthBytes, there.ModifiedAt) == (entry.LengthBytes, entry.ModifiedAt),
        _ => there.ModifiedAt == entry.ModifiedAt,
    };

    private static bool IsBefore(FileTime time, FileTime other) => (time.Seconds, time.Nanoseconds).CompareTo((other.Seconds, other.Nanoseconds)) < 0;

    private async ValueTask<bool> HasContentAsync(FolderHandle handle, byte[] name, TreeEntry entry, CancellationToken cancellationToken)
    {
        using var file = handle.OpenFile(name);
        await using var stored = new VaultStream(tree, entry.Stream ?? default, entry.Inline);
        var buffer = ArrayPool<byte>.Shared.Rent(2 * ComparedLengthBytes);
        try
        {
            var (wanted, found) = (buffer.AsMemory(0, ComparedLengthBytes), buffer.AsMemory(ComparedLengthBytes, ComparedLengthBytes));
            for (var position = 0L; position < entry.LengthBytes;)
            {
                var count = await stored.ReadAsync(wanted, cancellationToken);
                var filled = 0;
                while (filled < count && RandomAccess.Read(file, found.Span[filled..count], position + filled) is var read and > 0)
                    filled += read;
                if (filled < count || !wanted.Span[..count].SequenceEqual(found.Span[..count]))
                    return false;
                position += count;
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private bool TryTake(WalkedFolder folder, ReadOnlySpan<byte> name)
    {
        var hash = new XxHash128();
        var identity = folder.Identity;
        hash.Append(MemoryMarshal.AsBytes((ReadOnlySpan<ulong>)[identity.Device, identity.Inode]));
        hash.Append(name);
        return taken.TryAdd(hash.GetCurrentHashAsUInt128(), 0);
    }
}
