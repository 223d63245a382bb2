using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Strongroom.Store.Trees;

/// <summary>An open folder. Everything is done relative to it and by names as bytes, so that no symbolic link leads elsewhere. Failures are <see cref="IOException"/>s with the error's number.</summary>
internal sealed partial class FolderHandle : IDisposable
{
    private const int ListingLengthBytes = 32 << 10;
    private const int EntryNameOffsetBytes = 19;
    private readonly SafeFileHandle handle;

    private FolderHandle(SafeFileHandle handle) => this.handle = handle;

    public SafeFileHandle Handle => handle;

    /// <summary>Opens a folder by a path, which may lead through symbolic links: the caller chose it.</summary>
    public static FolderHandle Open(string path) =>
        new(Require(LinuxCalls.Open(path, LinuxCalls.ReadOnly | LinuxCalls.FolderOnly | LinuxCalls.CloseOnExec), "open"));

    public FolderHandle OpenFolder(ReadOnlySpan<byte> name) => new(Require(
        LinuxCalls.OpenAt(handle, LinuxCalls.Terminated(name), LinuxCalls.ReadOnly | LinuxCalls.FolderOnly | LinuxCalls.NoFollow | LinuxCalls.CloseOnExec, 0),
        "open"));

    /// <summary>Null where something is that is no folder; a symbolic link is none.</summary>
    public FolderHandle? TryOpenFolder(ReadOnlySpan<byte> name)
    {
        try
        {
            return OpenFolder(name);
        }
        catch (IOException failure) when (failure.HResult is LinuxCalls.NotAFolder or LinuxCalls.Loop)
        {
            return null;
        }
    }

    /// <summary>Opens a file for reading; what turned into a FIFO meanwhile does not hold it up.</summary>
    public SafeFileHandle OpenFile(ReadOnlySpan<byte> name) => Require(
        LinuxCalls.OpenAt(handle, LinuxCalls.Terminated(name), LinuxCalls.ReadOnly | LinuxCalls.NoFollow | LinuxCalls.NonBlocking | LinuxCalls.CloseOnExec, 0),
        "open");

    public FileStat Stat() => FileStat.Of(handle);

    public FileStat Stat(ReadOnlySpan<byte> name) => FileStat.Of(handle, LinuxCalls.Terminated(name));

    /// <summary>Null where there is nothing of that name.</summary>
    public FileStat? TryStat(ReadOnlySpan<byte> name) => FileStat.TryOf(handle, LinuxCalls.Terminated(name));

    public byte[] ReadLink(ReadOnlySpan<byte> name)
    {
        var target = new byte[TreePage.GreatestLinkLengthBytes + 1];
        var length = (int)LinuxCalls.ReadLinkAt(handle, LinuxCalls.Terminated(name), target, target.Length);
        if (length < 0)
            throw LinuxCalls.Failure("readlink");
        return length <= TreePage.GreatestLinkLengthBytes ? target[..length] : throw new IOException("The symbolic link's target is too long.");
    }

    /// <summary>All names but <c>.</c> and <c>..</c>, sorted as bytes.</summary>
    public List<byte[]> ReadNames(CancellationToken cancellationToken)
    {
        var names = new List<byte[]>();
        var listing = new byte[ListingLengthBytes];
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var length = (int)LinuxCalls.ReadFolder(handle, listing, listing.Length);
            if (length < 0)
                throw LinuxCalls.Failure("getdents");
            if (length == 0)
                break;
            for (var rest = listing.AsSpan(0, length); rest.Length > 0; rest = rest[BinaryPrimitives.ReadUInt16LittleEndian(rest[16..])..])
            {
                var name = rest[EntryNameOffsetBytes..BinaryPrimitives.ReadUInt16LittleEndian(rest[16..])];
                name = name[..name.IndexOf((byte)0)];
                if (TreePage.IsName(name))
                    names.Add(name.ToArray());
            }
        }

        names.Sort((a, b) => a.AsSpan().SequenceCompareTo(b));
        return names;
    }

    public void Dispose() => handle.Dispose();

    private static SafeFileHandle Require(int descriptor, string call) =>
        descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw LinuxCalls.Failure(call);
}
