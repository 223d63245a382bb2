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

    /// <exception cref="StoreException">Corrupt: no plain file.</exception>
    /// <exception cref="IOException">It is not there, or cannot be opened.</exception>
    public LocalFile(string root, string name)
    {
        Handle = BlobFiles.Open(root, name);
        identity = FileIdentities.Of(Handle);
    }

    public SafeFileHandle Handle { get; }

    /// <summary>False when the name leads to another file by now, or to none: the file was put back from a copy, or deleted, by another process.</summary>
    public bool IsAt(string path) => FileIdentities.Find(path) == identity;

    public void Dispose() => Handle.Dispose();
}

/// <summary>What something in a file system is.</summary>
internal enum FileType
{
    Fifo = 0x1000,
    CharacterDevice = 0x2000,
    Folder = 0x4000,
    BlockDevice = 0x6000,
    Regular = 0x8000,
    Link = 0xA000,
    Socket = 0xC000,
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

    /// <summary>What has a name, and its length; null when nothing has. A link at the end of the path is looked at itself.</summary>
    /// <exception cref="IOException">It cannot be looked at.</exception>
    public static (FileType Type, long LengthBytes)? Look(string path, bool followsLink = false)
    {
        Span<byte> found = stackalloc byte[StatLengthBytes];
        if (Statx(CurrentFolder, path, followsLink ? 0 : LinkItselfFlag, TypeMask | LengthMask, found) == 0)
            return (TypeOf(found), BinaryPrimitives.ReadInt64LittleEndian(found[LengthOffset..]));
        return Marshal.GetLastPInvokeError() is NoSuchFile or NotAFolder ? null : throw LastFailure(path);
    }

    public static FileType TypeOf(SafeFileHandle file)
    {
        Span<byte> found = stackalloc byte[StatLengthBytes];
        return Statx(file, "", EmptyPathFlag, TypeMask, found) == 0 ? TypeOf(found) : throw LastFailure("an open file");
    }

    private static FileType TypeOf(ReadOnlySpan<byte> found) => (FileType)(BinaryPrimitives.ReadUInt16LittleEndian(found[ModeOffset..]) & FileTypeBits);

    private static IOException LastFailure(string path) =>
        new($"'{path}' cannot be looked at: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}", Marshal.GetLastPInvokeError());

    private static FileIdentity Parse(ReadOnlySpan<byte> source) =>
        new(BinaryPrimitives.ReadUInt64LittleEndian(source[DeviceOffset..]), BinaryPrimitives.ReadUInt64LittleEndian(source[InodeOffset..]));

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(SafeFileHandle file, string path, int flags, uint mask, Span<byte> result);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, Span<byte> result);
}
