using System.Globalization;
using System.IO.Hashing;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Strongroom.Bench.Disks;
using Strongroom.Bench.Measuring;
using Strongroom.Store;
using Strongroom.Store.Packs;
using ZstdNet;

namespace Strongroom.Bench.Primitives;

/// <summary>Does to one disk, on one thread and with nothing around it, what a backup, a verification and a restore cannot do without.</summary>
/// <remarks>
/// What each step of the store takes more than this sum is what the store itself costs. Chunks that come twice are not recognised here, so the
/// limit is a little high for disks that repeat themselves.
/// </remarks>
internal sealed class DiskLimits : IDisposable
{
    private const int SlotLengthBytes = 256 << 10;
    private const int PartLengthBytes = 64 << 10;
    private const int TagLengthBytes = 16;
    private readonly Dictionary<string, (long Bytes, double CpuSeconds)> costs = [];
    private readonly string packPath;
    private readonly string diskPath;
    private readonly SafeFileHandle pack;
    private readonly SafeFileHandle target;
    private readonly byte[] raw = new byte[SlotLengthBytes];
    private readonly byte[] restored = new byte[SlotLengthBytes];
    private readonly byte[] compressed = new byte[Compressor.GetCompressBound(SlotLengthBytes)];
    private readonly byte[] frame = new byte[SlotLengthBytes + TagLengthBytes];
    private readonly byte[] nonce = new byte[12];
    private readonly byte[] key = new byte[32];
    private readonly AesGcm aes;
    private readonly CompressionOptions options = new(1);
    private readonly Compressor compressor;
    private readonly Decompressor decompressor = new();
    private readonly XxHash128 packHash = new();
    private readonly int partLengthBytes;
    private long packLengthBytes;

    /// <param name="folder">Holds what is written, until it is disposed.</param>
    /// <param name="inParts">Compresses and seals 64 KiB at a time, as the store does; otherwise whole slots.</param>
    public DiskLimits(string folder, bool inParts)
    {
        partLengthBytes = inParts ? PartLengthBytes : SlotLengthBytes;
        packPath = Path.Combine(folder, $"strongroom-limits-{Environment.ProcessId}.packs");
        diskPath = Path.Combine(folder, $"strongroom-limits-{Environment.ProcessId}.img");
        pack = File.OpenHandle(packPath, FileMode.Create, FileAccess.ReadWrite);
        target = File.OpenHandle(diskPath, FileMode.Create, FileAccess.Write);
        aes = new AesGcm(key, TagLengthBytes);
        compressor = new Compressor(options);
    }

    public async Task RunAsync(string path, CancellationToken cancellationToken)
    {
        using var disk = new RawImage(path);
        using var file = File.OpenHandle(path);
        var next = 0L;
        await foreach (var extent in disk.MapAsync(cancellationToken))
        {
            var end = extent.OffsetBytes + extent.LengthBytes;
            if (extent.Kind != ExtentKind.Data)
                continue;
            for (var slot = Math.Max(next, extent.OffsetBytes / SlotLengthBytes); slot * SlotLengthBytes < end; slot++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                TakeSlot(file, slot * SlotLengthBytes);
                next = slot + 1;
            }
        }
    }

    public void Print()
    {
        Console.WriteLine("| one thread, whole disk | MB | CPU s | MB/s |\n|---|---:|---:|---:|");
        foreach (var (name, (bytes, seconds)) in costs)
            Console.WriteLine($"| {name} | {Text(bytes / 1e6, "N0")} | {Text(seconds, "F3")} | {Text(bytes / 1e6 / seconds, "N0")} |");
        Console.WriteLine($"\n| step | at least, CPU s |\n|---|---:|");
        Sum("first backup", "read", "zero test", "id", "compress", "seal", "pack digest", "write");
        Sum("backup of the unchanged disk, changes not known", "read", "zero test", "id");
        Sum("verification of all data", "read packs", "pack digest", "open", "decompress", "id");
        Sum("restore", "read packs", "open", "decompress", "id", "write disk");
    }

    public void Dispose()
    {
        aes.Dispose();
        compressor.Dispose();
        decompressor.Dispose();
        options.Dispose();
        pack.Dispose();
        target.Dispose();
        File.Delete(packPath);
        File.Delete(diskPath);
    }

    private void TakeSlot(SafeFileHandle file, long offset)
    {
        var length = Time("read", count => count, () => RandomAccess.Read(file, raw, offset));
        var chunk = raw.AsMemory(0, length);
        if (Time("zero test", _ => length, () => chunk.Span.IndexOfAnyExcept((byte)0)) < 0)
            return;
        Time("id", _ => length, () => ChunkId.Compute(key, chunk.Span).GetHashCode());
        for (var at = 0; at < length; at += partLengthBytes)
            TakePart(chunk.Slice(at, Math.Min(partLengthBytes, length - at)));

        // Into the page cache: how fast the disk takes it is another matter.
        Time("write disk", _ => length, () => Write(target, chunk.Span, offset));
    }

    private void TakePart(ReadOnlyMemory<byte> part)
    {
        var size = Time("compress", _ => part.Length, () => compressor.Wrap(part.Span, compressed));
        var isSmaller = size <= part.Length - ((part.Length * 6) / 100) - 1;
        var stored = isSmaller ? compressed.AsMemory(0, size) : part;
        var length = stored.Length;
        Time("seal", _ => length, () => Seal(stored.Span));
        Time("pack digest", _ => length, () => Digest(length + TagLengthBytes));
        Time("write", _ => length, () => Write(pack, frame.AsSpan(0, length + TagLengthBytes), packLengthBytes));
        Time("read packs", _ => length, () => RandomAccess.Read(pack, frame.AsSpan(0, length + TagLengthBytes), packLengthBytes));
        packLengthBytes += length + TagLengthBytes;
        Time("open", _ => length, () => Open(length));
        if (isSmaller)
            Time("decompress", count => count, () => decompressor.Unwrap(compressed.AsSpan(0, length), restored.AsSpan(0, part.Length)));
    }

    private int Seal(ReadOnlySpan<byte> stored)
    {
        aes.Encrypt(nonce, stored, frame.AsSpan(0, stored.Length), frame.AsSpan(stored.Length, TagLengthBytes));
        return 0;
    }

    private int Open(int length)
    {
        using var own = new AesGcm(key, TagLengthBytes);
        own.Decrypt(nonce, frame.AsSpan(0, length), frame.AsSpan(length, TagLengthBytes), compressed.AsSpan(0, length));
        return 0;
    }

    private int Digest(int length)
    {
        packHash.Append(frame.AsSpan(0, length));
        return 0;
    }

    private static int Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset)
    {
        RandomAccess.Write(file, bytes, offset);
        return 0;
    }

    private int Time(string name, Func<int, long> bytesOf, Func<int> work)
    {
        var before = ResourceCalls.ThreadCpuSeconds();
        var result = work();
        var spent = ResourceCalls.ThreadCpuSeconds() - before;
        var (bytes, seconds) = costs.GetValueOrDefault(name);
        costs[name] = (bytes + bytesOf(result), seconds + spent);
        return result;
    }

    private void Sum(string step, params string[] parts) =>
        Console.WriteLine($"| {step}: {string.Join(", ", parts)} | {Text(parts.Sum(part => costs.GetValueOrDefault(part).CpuSeconds), "F2")} |");

    private static string Text(double number, string format) => number.ToString(format, CultureInfo.InvariantCulture);
}
