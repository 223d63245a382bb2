using System.Buffers.Binary;
using System.Collections;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Strongroom.Blocks.Qcow2;

/// <summary>Writes a qcow2 image (version 3): without a backing file, or empty over a raw one.</summary>
/// <remarks>
/// The disk's clusters lie in the file in their own order, in a sparse file; tables say at the end which of them were written. The header is written
/// last: a file that a crash left is no image. Memory: a bit for each 64 KiB of the disk.
/// </remarks>
internal sealed class Qcow2Writer : IDiskWriter
{
    private const uint Magic = 0x514649FB;
    private const uint HeaderLengthBytes = 104;
    private const uint BackingFormatExtension = 0xE2792ACA;
    private const int BackingNameOffset = 128;
    private const int LongestBackingNameBytes = 1023;
    private const ulong Copied = 1UL << 63;

    private readonly string _path;
    private readonly SafeFileHandle _handle;
    private readonly long _lengthBytes;
    private readonly byte[] _backing;
    private readonly Qcow2Layout _layout;
    private readonly BitArray _written; // guarded by _gate
    private readonly Lock _gate = new();

    private Qcow2Writer(string path, SafeFileHandle handle, long lengthBytes, byte[] backing, Qcow2Layout layout)
    {
        (_path, _handle, _lengthBytes, _backing, _layout) = (path, handle, lengthBytes, backing, layout);
        _written = new(checked((int)layout.DataClusters));
    }

    /// <param name="rawBackingFile">What is read where nothing was written, as QEMU names files, whose format is raw; null: zeros.</param>
    public static Qcow2Writer Create(string path, long diskLengthBytes, string? rawBackingFile = null)
    {
        var backing = Encoding.UTF8.GetBytes(rawBackingFile ?? "");
        ArgumentOutOfRangeException.ThrowIfGreaterThan(backing.Length, LongestBackingNameBytes, nameof(rawBackingFile));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(diskLengthBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(diskLengthBytes, int.MaxValue * Qcow2Layout.ClusterBytes);
        var layout = new Qcow2Layout(diskLengthBytes);
        return new(path, DiskWriters.CreateFile(path, layout.DataOffset), diskLengthBytes, backing, layout);
    }

    public ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offsetBytes, _lengthBytes - data.Length);
        if (data.IsEmpty)
            return ValueTask.CompletedTask;
        lock (_gate)
        {
            for (var cluster = offsetBytes / Qcow2Layout.ClusterBytes; cluster <= (offsetBytes + data.Length - 1) / Qcow2Layout.ClusterBytes; cluster++)
                _written[(int)cluster] = true;
        }

        return RandomAccess.WriteAsync(_handle, data, _layout.DataOffset + offsetBytes, cancellationToken);
    }

    public Task FinishAsync(CancellationToken cancellationToken) => Task.Run(Finish, cancellationToken);

    public ValueTask DisposeAsync()
    {
        _handle.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Finish()
    {
        // The last cluster may be written in part: the file ends with a whole one.
        var clusters = Divide(RandomAccess.GetLength(_handle), Qcow2Layout.ClusterBytes);
        RandomAccess.SetLength(_handle, clusters * Qcow2Layout.ClusterBytes);
        WriteTable(_layout.RefcountTableOffset, _layout.RefcountBlocks, block => (ulong)(_layout.RefcountBlocksOffset + (block * Qcow2Layout.ClusterBytes)));
        WriteTable(_layout.L1Offset, _layout.L2Tables, table => (ulong)(_layout.L2Offset + (table * Qcow2Layout.ClusterBytes)) | Copied);
        WriteTable(_layout.L2Offset, _layout.DataClusters, cluster => _written[(int)cluster] ? (ulong)(_layout.DataOffset + (cluster * Qcow2Layout.ClusterBytes)) | Copied : 0);
        WriteCounts();
        RandomAccess.FlushToDisk(_handle);
        RandomAccess.Write(_handle, Header(), 0);
        DiskWriters.Synchronise(_handle, _path);
    }

    /// <summary>Writes a table of 8-byte entries, cluster by cluster; a cluster of zeros stays a hole.</summary>
    private void WriteTable(long offsetBytes, long entries, Func<long, ulong> entry)
    {
        var buffer = new byte[Qcow2Layout.ClusterBytes];
        for (long first = 0; first < entries; first += Qcow2Layout.EntriesPerCluster)
        {
            Array.Clear(buffer);
            for (long i = first; i < Math.Min(entries, first + Qcow2Layout.EntriesPerCluster); i++)
                BinaryPrimitives.WriteUInt64BigEndian(buffer.AsSpan((int)(i - first) * 8), entry(i));
            WriteUnlessZero(buffer, offsetBytes + (first * 8));
        }
    }

    /// <summary>One reference for each cluster in use; the disk's clusters that were never written are free.</summary>
    private void WriteCounts()
    {
        var buffer = new byte[Qcow2Layout.ClusterBytes];
        for (long block = 0; block < _layout.RefcountBlocks; block++)
        {
            Array.Clear(buffer);
            for (long i = 0; i < Qcow2Layout.CountsPerBlock; i++)
                if (IsUsed((block * Qcow2Layout.CountsPerBlock) + i)) buffer[(i * 2) + 1] = 1;
            WriteUnlessZero(buffer, _layout.RefcountBlocksOffset + (block * Qcow2Layout.ClusterBytes));
        }
    }

    private bool IsUsed(long cluster)
    {
        var data = cluster - _layout.MetadataClusters;
        return data < 0 || (data < _written.Length && _written[(int)data]);
    }

    private void WriteUnlessZero(byte[] buffer, long offsetBytes)
    {
        if (buffer.AsSpan().ContainsAnyExcept((byte)0)) RandomAccess.Write(_handle, buffer, offsetBytes);
    }

    private byte[] Header()
    {
        var header = new byte[_backing.Length == 0 ? HeaderLengthBytes : BackingNameOffset + _backing.Length];
        var span = header.AsSpan();
        if (_backing.Length > 0) WriteBacking(span);
        BinaryPrimitives.WriteUInt32BigEndian(span, Magic);
        BinaryPrimitives.WriteUInt32BigEndian(span[4..], 3);
        BinaryPrimitives.WriteUInt32BigEndian(span[20..], Qcow2Layout.ClusterBits);
        BinaryPrimitives.WriteUInt64BigEndian(span[24..], (ulong)_lengthBytes);
        BinaryPrimitives.WriteUInt32BigEndian(span[36..], (uint)_layout.L2Tables);
        BinaryPrimitives.WriteUInt64BigEndian(span[40..], (ulong)_layout.L1Offset);
        BinaryPrimitives.WriteUInt64BigEndian(span[48..], (ulong)_layout.RefcountTableOffset);
        BinaryPrimitives.WriteUInt32BigEndian(span[56..], (uint)_layout.RefcountTableClusters);
        // Reference counts of 2^4 bits.
        BinaryPrimitives.WriteUInt32BigEndian(span[96..], 4);
        BinaryPrimitives.WriteUInt32BigEndian(span[100..], HeaderLengthBytes);
        return header;
    }

    /// <summary>The name, and a header extension with its format; the zeros after that end the extensions.</summary>
    private void WriteBacking(Span<byte> header)
    {
        BinaryPrimitives.WriteUInt64BigEndian(header[8..], BackingNameOffset);
        BinaryPrimitives.WriteUInt32BigEndian(header[16..], (uint)_backing.Length);
        _backing.CopyTo(header[BackingNameOffset..]);
        var extension = header[(int)HeaderLengthBytes..];
        BinaryPrimitives.WriteUInt32BigEndian(extension, BackingFormatExtension);
        BinaryPrimitives.WriteUInt32BigEndian(extension[4..], (uint)"raw"u8.Length);
        "raw"u8.CopyTo(extension[8..]);
    }

    private static long Divide(long value, long by) => (value + by - 1) / by;
}
