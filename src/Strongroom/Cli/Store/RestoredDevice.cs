using System.Collections;
using Strongroom.Blocks;
using Strongroom.Blocks.Raw;

namespace Strongroom.Cli.Store;

/// <summary>A block device that is written over. What is a hole in the disk becomes zeros; what the device has beyond the disk's end stays.</summary>
/// <remarks>
/// The first grain, with the partition table or the file system's head, is zeros until everything else is on the disk: a restore that was
/// broken off leaves nothing that looks like a disk. Memory: a bit for each 64 KiB, 2 MiB for 1 TiB.
/// </remarks>
internal sealed class RestoredDevice : IRestoreTarget
{
    /// <summary>What a disk's zeros are left out by; see <see cref="Strongroom.Store.IImageSink"/>.</summary>
    internal const int GrainLengthBytes = 64 * 1024;

    /// <summary>Zeroed in one call, which cannot be interrupted.</summary>
    private const int GrainsAtOnce = 1024;
    private readonly IOverwrittenDisk device;
    private readonly string path;
    private readonly long lengthBytes;
    private readonly BitArray written;
    private readonly byte[] first;
    private bool isFinished;

    /// <summary>Owns <paramref name="device"/> from now on.</summary>
    internal RestoredDevice(IOverwrittenDisk device, string path, long lengthBytes)
    {
        this.device = device;
        this.path = path;
        this.lengthBytes = lengthBytes;
        written = new(checked((int)((lengthBytes + GrainLengthBytes - 1) / GrainLengthBytes)));
        first = new byte[Math.Min(GrainLengthBytes, lengthBytes)];
        device.WriteZeros(0, first.Length);
    }

    /// <inheritdoc/>
    public long BytesWritten { get; private set; }

    /// <exception cref="UsageException">The device may not be written over, or the disk does not fit.</exception>
    /// <exception cref="IOException">It cannot be opened, or is in use.</exception>
    public static RestoredDevice Open(string path, long lengthBytes, bool overwrite)
    {
        if (!overwrite)
            throw new UsageException($"'{path}' is a block device, and all that it holds would be lost. If that is meant, say --overwrite.");
        var device = BlockDevice.Open(path);
        try
        {
            return device.LengthBytes >= lengthBytes
                ? new(device, path, lengthBytes)
                : throw new UsageException($"'{path}' is too small: it has {device.LengthBytes} bytes, and {lengthBytes} are to be restored. Nothing was written to it.");
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }

    public ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        BytesWritten += data.Length;
        var span = data.Span;
        var held = (int)Math.Clamp(first.Length - offsetBytes, 0, span.Length);
        span[..held].CopyTo(first.AsSpan((int)Math.Min(offsetBytes, first.Length)));
        if (held == span.Length)
            return default;
        Claim(offsetBytes + held, offsetBytes + span.Length);
        device.Write(offsetBytes + held, span[held..]);
        return default;
    }

    /// <summary>Zeroes what was not written, and brings everything to the disk, its head last.</summary>
    /// <inheritdoc/>
    public void Finish(IProgress<long>? bytesDone, CancellationToken cancellationToken)
    {
        for (var start = 1; start < written.Length;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var end = start;
            while (end < written.Length && end - start < GrainsAtOnce && !written[end])
                end++;
            if (end > start)
                device.WriteZeros(OffsetOf(start), OffsetOf(end) - OffsetOf(start));
            else
                end++;
            start = end;
            bytesDone?.Report(OffsetOf(start));
        }

        device.Synchronise();
        cancellationToken.ThrowIfCancellationRequested();
        device.Write(0, first);
        device.Synchronise();
        isFinished = true;
    }

    public void Dispose()
    {
        device.Dispose();
        if (!isFinished)
            VerbConsole.Note($"'{path}' holds a part of the disk only, and its first {first.Length} bytes are zeros.");
    }

    private long OffsetOf(int grain) => Math.Min(lengthBytes, (long)grain * GrainLengthBytes);

    /// <summary>Marks grains as written; of one that is written in part the rest is made zeros before.</summary>
    private void Claim(long startBytes, long endBytes)
    {
        for (var grain = (int)(startBytes / GrainLengthBytes); OffsetOf(grain) < endBytes; grain++)
        {
            if (!written[grain] && (OffsetOf(grain) < startBytes || OffsetOf(grain + 1) > endBytes))
                device.WriteZeros(OffsetOf(grain), OffsetOf(grain + 1) - OffsetOf(grain));
            written[grain] = true;
        }
    }
}
