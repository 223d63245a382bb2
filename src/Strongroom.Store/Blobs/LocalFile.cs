using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Strongroom.Store.Blobs;

/// <summary>Which file a name or a handle leads to: numbers that no other file has as long as this one is open.</summary>
internal readonly record struct FileIdentity(ulong Device, ulong Inode);

/// <summary>A file that is kept open for reading, and which one it is.</summary>
internal sealed class LocalFile : IDisposable
{
    private readonly FileIdentity identity;

    /// <exception cref="IOException">It is not there, is no regular file, or cannot be opened.</exception>
    public LocalFile(string path)
    {
        // Opening a FIFO waits for its writer, and a device may never end.
        if (FileIdentities.FindLengthBytes(path) is null)
            throw new FileNotFoundException($"'{path}' is not there, or no regular file.");
        Handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.RandomAccess);
        identity = FileIdentities.Of(Handle);
    }

    public SafeFileHandle Handle { get; }

    /// <summary>False when the name leads to another file by now, or to none: the file was put back from a copy, or deleted, by another process.</summary>
    public bool IsAt(string path) => FileIdentities.Find(path) == identity;

    public void Dispose() => Handle.Dispose();
}

/// <summary>Asks the kernel which file something is (statx(2)).</summary>
internal static partial class FileIdentities
{
    private const int CurrentFolder = -100;
    private const int EmptyPathFlag = 0x1000;
    private const int LinkItselfFlag = 0x100;
    private const uint TypeMask = 0x1;
    private const uint LengthMask = 0x200;
    private const uint InodeMask = 0x100;
    private const int ModeOffset = 28;
    private const int FileTypeBits = 0xF000;
    private const int RegularFile = 0x8000;
    private const int Link = 0xA000;
    private const int NoSuchFile = 2;
    private const int NotAFolder = 20;
    private const int LengthOffset = 40;
    private const int StatLengthBytes = 256;
    private const int InodeOffset = 32;
    private const int DeviceOffset = 136;

    public static FileIdentity Of(SafeFileHandle file)
    {
        Span<byte> found = stackalloc byte[StatLengthBytes];
        return Statx(file, "", EmptyPathFlag, InodeMask, found) == 0 ? Parse(found) : throw LastFailure("an open file");
    }

    /// <summary>Null when the name leads to nothing that can be looked at; opening it tells why.</summary>
    public static FileIdentity? Find(string path)
    {
        Span<byte> found = stackalloc byte[StatLengthBytes];
        return Statx(CurrentFolder, path, 0, InodeMask, found) == 0 ? Parse(found) : null;
    }

    /// <summary>The length of the regular file that the name leads to, links followed; null when nothing is there, or what is nobody's blob and not to be opened (a folder, FIFO, socket or device).</summary>
    /// <exception cref="IOException">It cannot be looked at; so is a link that leads nowhere, since what it led to may only be absent for a while.</exception>
    public static long? FindLengthBytes(string path)
    {
        Span<byte> found = stackalloc byte[StatLengthBytes];
        if (Statx(CurrentFolder, path, 0, TypeMask | LengthMask, found) == 0)
            return FileType(found) == RegularFile ? BinaryPrimitives.ReadInt64LittleEndian(found[LengthOffset..]) : null;
        if (Marshal.GetLastPInvokeError() is not (NoSuchFile or NotAFolder))
            throw LastFailure(path);
        for (var place = path; place is not null; place = Path.GetDirectoryName(place))
        {
            if (Statx(CurrentFolder, place, LinkItselfFlag, TypeMask, found) != 0)
                continue;
            return FileType(found) == Link && Statx(CurrentFolder, place, 0, TypeMask, found) != 0
                ? throw new IOException($"'{place}' is a link that leads nowhere")
                : null;
        }

        return null;
    }

    /// <summary>True when the name is a symbolic link, wherever it leads.</summary>
    public static bool IsLink(string path)
    {
        Span<byte> found = stackalloc byte[StatLengthBytes];
        return Statx(CurrentFolder, path, LinkItselfFlag, TypeMask, found) == 0 && FileType(found) == Link;
    }

    private static int FileType(ReadOnlySpan<byte> found) => BinaryPrimitives.ReadUInt16LittleEndian(found[ModeOffset..]) & FileTypeBits;

    private static IOException LastFailure(string path) =>
        new($"'{path}' cannot be looked at: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}", Marshal.GetLastPInvokeError());

    private static FileIdentity Parse(ReadOnlySpan<byte> source) =>
        new(BinaryPrimitives.ReadUInt64LittleEndian(source[DeviceOffset..]), BinaryPrimitives.ReadUInt64LittleEndian(source[InodeOffset..]));

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(SafeFileHandle file, string path, int flags, uint mask, Span<byte> result);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, Span<byte> result);
}
