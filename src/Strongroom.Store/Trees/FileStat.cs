using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Strongroom.Store.Trees;

/// <summary>What the kernel says of a file (statx(2)). When it was born is 0 where the file system does not know.</summary>
internal readonly record struct FileStat(
    TreeEntryKind Kind,
    int Mode,
    uint Links,
    uint UserId,
    uint GroupId,
    ulong Inode,
    ulong Device,
    long LengthBytes,
    long AllocatedBytes,
    FileTime BornAt,
    FileTime ChangedAt,
    FileTime ModifiedAt,
    uint DeviceMajor,
    uint DeviceMinor)
{
    private const int KindMask = 0xF000;
    private const int BlockLengthBytes = 512;

    public static FileStat Of(SafeFileHandle folder, ReadOnlySpan<byte> terminatedName) =>
        TryOf(folder, terminatedName) ?? throw LinuxCalls.Failure("stat", LinuxCalls.NoEntry);

    /// <summary>Null where there is nothing of that name: not an exception, which would cost more than the call.</summary>
    public static FileStat? TryOf(SafeFileHandle folder, ReadOnlySpan<byte> terminatedName)
    {
        Span<byte> found = stackalloc byte[LinuxCalls.StatLengthBytes];
        var flags = LinuxCalls.AtNoFollow | LinuxCalls.AtNoAutomount | (terminatedName.Length == 1 ? LinuxCalls.AtEmptyPath : 0);
        if (LinuxCalls.Statx(folder, terminatedName, flags, LinuxCalls.StatBasicAndBirth, found) == 0)
            return Parse(found);
        var error = Marshal.GetLastPInvokeError();
        return error == LinuxCalls.NoEntry ? null : throw LinuxCalls.Failure("stat", error);
    }

    /// <summary>Of an open file or folder itself.</summary>
    public static FileStat Of(SafeFileHandle file) => Of(file, [0]);

    /// <summary>True when nothing that the kernel keeps of the file's content differs.</summary>
    public bool HasSameContentAs(FileStat other) =>
        (LengthBytes, ModifiedAt, ChangedAt, Inode) == (other.LengthBytes, other.ModifiedAt, other.ChangedAt, other.Inode);

    private static FileStat Parse(ReadOnlySpan<byte> source)
    {
        var mode = BinaryPrimitives.ReadUInt16LittleEndian(source[28..]);
        return new(
            KindOf(mode & KindMask),
            mode & 0xFFF,
            BinaryPrimitives.ReadUInt32LittleEndian(source[16..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[20..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[24..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[32..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[136..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[40..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[48..]) * BlockLengthBytes,
            TimeAt(source[80..]),
            TimeAt(source[96..]),
            TimeAt(source[112..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[128..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[132..]));
    }

    private static FileTime TimeAt(ReadOnlySpan<byte> source) =>
        new(BinaryPrimitives.ReadInt64LittleEndian(source), BinaryPrimitives.ReadInt32LittleEndian(source[8..]));

    private static TreeEntryKind KindOf(int bits) => bits switch
    {
        0x8000 => TreeEntryKind.File,
        0x4000 => TreeEntryKind.Folder,
        0xA000 => TreeEntryKind.SymbolicLink,
        0x1000 => TreeEntryKind.Fifo,
        0xC000 => TreeEntryKind.Socket,
        0x2000 => TreeEntryKind.CharacterDevice,
        0x6000 => TreeEntryKind.BlockDevice,
        _ => throw new IOException($"An unknown kind of file: {bits:x4}."),
    };
}
