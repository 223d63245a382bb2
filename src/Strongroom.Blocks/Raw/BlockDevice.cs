using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Strongroom.Blocks.Raw;

/// <summary>A block device, open to be written over; while it is, nobody can mount it (O_EXCL, open(2)).</summary>
public sealed class BlockDevice : IOverwrittenDisk
{
    /// <summary>Zeroing by the device works on whole blocks; none has larger ones that Linux would take.</summary>
    private const int GreatestBlockLengthBytes = 64 * 1024;
    private static readonly byte[] Zeros = new byte[1 << 20];
    private readonly string path;
    private readonly SafeFileHandle handle;

    private BlockDevice(string path, SafeFileHandle handle)
    {
        this.path = path;
        this.handle = handle;
        LengthBytes = LinuxFileCalls.Seek(handle, 0, LinuxFileCalls.SeekEnd);
        if (LengthBytes < 0)
            throw LinuxFileCalls.Failure("Cannot tell the length of", path);
    }

    /// <inheritdoc/>
    public long LengthBytes { get; }

    /// <summary>True when a block device lies at a path, links followed.</summary>
    public static bool IsAt(string path) => FileIdentity.IsBlockDeviceAt(path);

    /// <summary>Opens a device; a link to it is followed.</summary>
    /// <exception cref="DiskInUseException">It is mounted, or held otherwise; so is a disk of which a partition is.</exception>
    /// <exception cref="IOException">It is no block device, or may not be written.</exception>
    public static BlockDevice Open(string path)
    {
        var handle = DiskFile.OpenHandle(path, path, LinuxFileCalls.ReadWrite | LinuxFileCalls.Exclusive);
        try
        {
            return FileIdentity.IsBlockDevice(handle, path)
                ? new(path, handle)
                : throw new IOException($"'{path}' is not a block device.");
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Write(long offsetBytes, ReadOnlySpan<byte> data) => RandomAccess.Write(handle, data, offsetBytes);

    /// <inheritdoc/>
    public void WriteZeros(long offsetBytes, long lengthBytes)
    {
        var end = offsetBytes + lengthBytes;
        var from = Math.Min(end, (offsetBytes + GreatestBlockLengthBytes - 1) / GreatestBlockLengthBytes * GreatestBlockLengthBytes);
        var to = Math.Max(from, end / GreatestBlockLengthBytes * GreatestBlockLengthBytes);
        if (from < to && TryZeroOut(from, to - from))
        {
            WriteZerosHere(offsetBytes, from);
            WriteZerosHere(to, end);
        }
        else
        {
            WriteZerosHere(offsetBytes, end);
        }
    }

    /// <inheritdoc/>
    public void Synchronise()
    {
        if (LinuxFileCalls.Synchronise(handle) != 0)
            throw LinuxFileCalls.Failure("Cannot bring to the disk what was written to", path);
    }

    public void Dispose() => handle.Dispose();

    private bool TryZeroOut(long offsetBytes, long lengthBytes)
    {
        if (LinuxFileCalls.Control(handle, LinuxFileCalls.ZeroOut, [(ulong)offsetBytes, (ulong)lengthBytes]) == 0)
            return true;
        return Marshal.GetLastPInvokeError() is LinuxFileCalls.NotATerminal or LinuxFileCalls.InvalidArgument or LinuxFileCalls.NotSupported
            ? false
            : throw LinuxFileCalls.Failure("Cannot write zeros to", path);
    }

    private void WriteZerosHere(long offsetBytes, long endBytes)
    {
        for (; offsetBytes < endBytes; offsetBytes += Zeros.Length)
            Write(offsetBytes, Zeros.AsSpan(0, (int)Math.Min(Zeros.Length, endBytes - offsetBytes)));
    }
}
