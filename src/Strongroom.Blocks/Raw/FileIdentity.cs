using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Strongroom.Blocks.Raw;

/// <summary>Which file this is and in which state: two equal values mean the same file, not written in between.</summary>
/// <param name="Device">Major number in the upper 32 bits, minor in the lower.</param>
/// <param name="Inode">Number of the file on its device.</param>
/// <param name="LengthBytes">Size as the file system reports it.</param>
/// <param name="ModifiedNanoseconds">Time of the last write, nanoseconds since 1970 UTC; a program may set it back.</param>
/// <param name="ChangedNanoseconds">Time of the last change of content or attributes, nanoseconds since 1970 UTC; programs cannot set it.</param>
/// <remarks>The kernel stamps times with the granularity of its tick (1 to 4 ms on most), so two writes within a tick look like one.</remarks>
public readonly record struct FileIdentity(ulong Device, ulong Inode, long LengthBytes, long ModifiedNanoseconds, long ChangedNanoseconds)
{
    /// <summary>A change may bear a time that is up to a tick of the kernel old, and some file systems keep whole seconds.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(2);

    private const int FormatMask = 0xF000;
    private const int RegularFormat = 0x8000;
    private const int BlockDeviceFormat = 0x6000;
    private const int SocketFormat = 0xC000;
    private const int CurrentFolder = -100;

    /// <summary>
    /// Names the disk in the file, for ever: whoever meets the name again meets the same bytes. Null where that is not certain: the bytes are
    /// not of this file alone (qcow2 may have a backing file), or a further change could still bear the same time as the last.
    /// </summary>
    /// <param name="format">As what the file is read.</param>
    /// <param name="now">By this machine's own clock, as file times are.</param>
    public string? NameContent(DiskFormat format, DateTimeOffset now) =>
        format == DiskFormat.Qcow2 || ChangedNanoseconds > (now - Settling).ToUnixTimeMilliseconds() * 1_000_000
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"file {format} {Device:x} {Inode} {LengthBytes} {ModifiedNanoseconds} {ChangedNanoseconds}");

    /// <summary>The identity of an open file.</summary>
    /// <exception cref="IOException">statx(2) failed.</exception>
    public static FileIdentity Of(SafeFileHandle file, string path)
    {
        Span<byte> result = stackalloc byte[LinuxFileCalls.StatxSizeBytes];
        if (LinuxFileCalls.Statx(file, "", LinuxFileCalls.EmptyPath, LinuxFileCalls.BasicStatistics, result) != 0)
            throw LinuxFileCalls.Failure("Cannot examine", path);
        return Parse(result);
    }

    /// <summary>True when the open file is a regular one (not a folder, pipe, socket or device).</summary>
    internal static bool IsRegular(SafeFileHandle file, string path)
    {
        Span<byte> result = stackalloc byte[LinuxFileCalls.StatxSizeBytes];
        if (LinuxFileCalls.Statx(file, "", LinuxFileCalls.EmptyPath, LinuxFileCalls.BasicStatistics, result) != 0)
            throw LinuxFileCalls.Failure("Cannot examine", path);
        return Format(result) == RegularFormat;
    }

    /// <summary>True when the open file is a block device.</summary>
    internal static bool IsBlockDevice(SafeFileHandle file, string path)
    {
        Span<byte> result = stackalloc byte[LinuxFileCalls.StatxSizeBytes];
        if (LinuxFileCalls.Statx(file, "", LinuxFileCalls.EmptyPath, LinuxFileCalls.BasicStatistics, result) != 0)
            throw LinuxFileCalls.Failure("Cannot examine", path);
        return Format(result) == BlockDeviceFormat;
    }

    /// <summary>Bytes that an open file takes on its file system: holes take none.</summary>
    internal static long AllocatedBytes(SafeFileHandle file)
    {
        const int unitBytes = 512; // of stx_blocks, whatever the file system's own
        Span<byte> result = stackalloc byte[LinuxFileCalls.StatxSizeBytes];
        if (LinuxFileCalls.Statx(file, "", LinuxFileCalls.EmptyPath, LinuxFileCalls.BasicStatistics, result) != 0)
            throw LinuxFileCalls.Failure("Cannot examine", "the open file");
        return (long)Number64(result, 48) * unitBytes;
    }

    /// <summary>The identity behind a path, links followed, when content can be read from it (regular file or block device); null for anything else, or nothing.</summary>
    internal static FileIdentity? OfContentAt(string path)
    {
        Span<byte> result = stackalloc byte[LinuxFileCalls.StatxSizeBytes];
        if (LinuxFileCalls.Statx(CurrentFolder, path, 0, LinuxFileCalls.BasicStatistics, result) != 0)
            return null;
        return Format(result) is RegularFormat or BlockDeviceFormat ? Parse(result) : null;
    }

    /// <summary>
    /// Names the file or block device behind a path, links followed, whatever is in it: by its number and the time when it was made, since numbers are given
    /// again. Null for anything else, for nothing, and where it may not be looked at. Names of devices hold until the machine is started again.
    /// </summary>
    public static string? NameFile(string path)
    {
        Span<byte> result = stackalloc byte[LinuxFileCalls.StatxSizeBytes];
        if (LinuxFileCalls.Statx(CurrentFolder, path, 0, LinuxFileCalls.BasicStatistics | LinuxFileCalls.BirthTime, result) != 0)
            return null;
        var file = Parse(result);
        var madeAt = (Number32(result, 0) & LinuxFileCalls.BirthTime) == 0 ? 0 : Nanoseconds(result, 80);
        return Format(result) switch
        {
            RegularFormat => string.Create(CultureInfo.InvariantCulture, $"{file.Device:x}:{file.Inode}:{madeAt}"),
            BlockDeviceFormat => string.Create(CultureInfo.InvariantCulture, $"{Number32(result, 128)}:{Number32(result, 132)}"),
            _ => null,
        };
    }

    /// <summary>True when a plain file lies at a path: no folder, link, pipe, socket or device.</summary>
    public static bool IsPlainFileAt(string path) => IsAt(path, RegularFormat, LinuxFileCalls.LinkItself);

    /// <summary>True when a Unix socket lies at a path.</summary>
    internal static bool IsSocketAt(string path) => IsAt(path, SocketFormat);

    /// <summary>True when a block device lies at a path, links followed.</summary>
    internal static bool IsBlockDeviceAt(string path) => IsAt(path, BlockDeviceFormat);

    private static bool IsAt(string path, int format, int flags = 0)
    {
        Span<byte> result = stackalloc byte[LinuxFileCalls.StatxSizeBytes];
        return LinuxFileCalls.Statx(CurrentFolder, path, flags, LinuxFileCalls.BasicStatistics, result) == 0 && Format(result) == format;
    }

    private static int Format(ReadOnlySpan<byte> result) => Number16(result, 28) & FormatMask;

    // Offsets of struct statx, which is the same on every processor family (statx(2)); numbers are in the machine's byte order.
    private static FileIdentity Parse(ReadOnlySpan<byte> result) => new(
        ((ulong)Number32(result, 136) << 32) | Number32(result, 140),
        Number64(result, 32),
        (long)Number64(result, 40),
        Nanoseconds(result, 112),
        Nanoseconds(result, 96));

    private static long Nanoseconds(ReadOnlySpan<byte> result, int offset) =>
        unchecked(((long)Number64(result, offset) * 1_000_000_000) + Number32(result, offset + 8));

    private static ushort Number16(ReadOnlySpan<byte> result, int offset) => BitConverter.ToUInt16(result[offset..]);

    private static uint Number32(ReadOnlySpan<byte> result, int offset) => BitConverter.ToUInt32(result[offset..]);

    private static ulong Number64(ReadOnlySpan<byte> result, int offset) => BitConverter.ToUInt64(result[offset..]);
}
