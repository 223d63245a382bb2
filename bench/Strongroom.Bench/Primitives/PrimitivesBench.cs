using System.Diagnostics;
using System.Globalization;
using System.IO.Hashing;
using System.Security.Cryptography;
using Strongroom.Bench.Disks;
using Strongroom.Store.Packs;
using ZstdNet;

namespace Strongroom.Bench.Primitives;

/// <summary>What one core of this machine does at best: the limit that each step of a backup is held against.</summary>
internal static class PrimitivesBench
{
    private const int ChunkLengthBytes = 256 << 10;
    private const int PartLengthBytes = 64 << 10;
    private const int Attempts = 3;
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(0.15);

    public static void Run(string source, string folder)
    {
        var random = new byte[16 << 20];
        new SequenceRandom(1).Fill(random);
        var text = new byte[64 << 20];
        using (var files = new FileContent(source))
        {
            // A tenth of what a mixed disk of 2 GiB holds of files, from all over it.
            for (var offset = 0; offset < text.Length; offset += 1 << 20)
            {
                files.Fill(text.AsSpan(offset, 1 << 20));
                files.Skip(9 << 20);
            }
        }

        Console.WriteLine("| primitive, one core | MB/s | |\n|---|---:|---|");
        Hashes(random);
        Cipher(random);
        foreach (var level in (int[])[-5, -1, 1, 3, 6])
            Zstd(text, level, ChunkLengthBytes);
        Zstd(text, 1, PartLengthBytes);
        Zstd(random, 1, ChunkLengthBytes);
        Memory(random);
        Reads(random, folder);
    }

    private static void Hashes(byte[] bytes)
    {
        var digest = new byte[32];
        var key = new byte[32];
        PerChunk("SHA-256, 256 KiB", bytes, ChunkLengthBytes, chunk => SHA256.HashData(chunk, digest));
        PerChunk("HMAC-SHA-256, 256 KiB", bytes, ChunkLengthBytes, chunk => HMACSHA256.HashData(key, chunk, digest));
        PerChunk("HMAC-SHA-256, 64 KiB", bytes, PartLengthBytes, chunk => HMACSHA256.HashData(key, chunk, digest));
        PerChunk("HMAC-SHA-256, 4 KiB", bytes, 4096, chunk => HMACSHA256.HashData(key, chunk, digest));
        PerChunk("BLAKE3, 256 KiB", bytes, ChunkLengthBytes, chunk => ChunkId.Compute(key, chunk));
        PerChunk("BLAKE3, 64 KiB", bytes, PartLengthBytes, chunk => ChunkId.Compute(key, chunk));
        PerChunk("BLAKE3, 4 KiB", bytes, 4096, chunk => ChunkId.Compute(key, chunk));
        PerChunk("XxHash3, 256 KiB", bytes, ChunkLengthBytes, chunk => XxHash3.HashToUInt64(chunk));
    }

    private static void Cipher(byte[] bytes)
    {
        var key = new byte[32];
        var nonce = new byte[12];
        var tag = new byte[16];
        var target = new byte[ChunkLengthBytes];
        var plain = new byte[ChunkLengthBytes];
        using var aes = new AesGcm(key, 16);
        PerChunk("AES-256-GCM seal, 256 KiB", bytes, ChunkLengthBytes, chunk => aes.Encrypt(nonce, chunk, target, tag));
        aes.Encrypt(nonce, bytes.AsSpan(0, ChunkLengthBytes), target, tag);
        PerChunk("AES-256-GCM open, 256 KiB", bytes, ChunkLengthBytes, _ => aes.Decrypt(nonce, target, tag, plain));
        aes.Encrypt(nonce, bytes.AsSpan(0, PartLengthBytes), target.AsSpan(0, PartLengthBytes), tag);
        PerChunk("AES-256-GCM open with a new key each time, 64 KiB", bytes, PartLengthBytes, _ =>
        {
            using var own = new AesGcm(key, 16);
            own.Decrypt(nonce, target.AsSpan(0, PartLengthBytes), tag, plain.AsSpan(0, PartLengthBytes));
        });
    }

    private static void Zstd(byte[] bytes, int level, int chunkLengthBytes)
    {
        var kind = bytes.Length == 64 << 20 ? "files" : "random";
        using var options = new CompressionOptions(level);
        using var compressor = new Compressor(options);
        using var decompressor = new Decompressor();
        var target = new byte[Compressor.GetCompressBound(chunkLengthBytes)];
        var frames = new List<byte[]>();
        var stored = 0L;
        for (var offset = 0; offset < bytes.Length; offset += chunkLengthBytes)
        {
            var length = compressor.Wrap(bytes.AsSpan(offset, chunkLengthBytes), target);
            stored += length;
            frames.Add(target[..length]);
        }

        var size = string.Create(CultureInfo.InvariantCulture, $"{chunkLengthBytes / 1024} KiB");
        var ratio = string.Create(CultureInfo.InvariantCulture, $"ratio {(double)bytes.Length / stored:F3}");
        PerChunk($"zstd {level} of {kind}, {size}", bytes, chunkLengthBytes, chunk => compressor.Wrap(chunk, target), ratio);
        var raw = new byte[chunkLengthBytes];
        var next = 0;
        PerChunk($"its decompression", bytes, chunkLengthBytes, _ => decompressor.Unwrap(frames[next++ % frames.Count], raw));
    }

    private static void Memory(byte[] bytes)
    {
        var target = new byte[ChunkLengthBytes];
        PerChunk("copy, 256 KiB", bytes, ChunkLengthBytes, chunk => chunk.CopyTo(target));
        var zeros = new byte[16 << 20];
        var other = new byte[ChunkLengthBytes];
        PerChunk("zero test of zeros, 256 KiB", zeros, ChunkLengthBytes, chunk => chunk.IndexOfAnyExcept((byte)0));
        PerChunk("comparison of equal memory, 256 KiB", zeros, ChunkLengthBytes, chunk => chunk.SequenceEqual(other));
    }

    private static void Reads(byte[] bytes, string folder)
    {
        var path = Path.Combine(folder, $"strongroom-primitives-{Environment.ProcessId}");
        try
        {
            using var file = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite);

            // More than the processor's caches hold.
            const int Pieces = 16;
            var started = Stopwatch.GetTimestamp();
            for (var written = 0; written < Pieces; written++)
            {
                RandomAccess.Write(file, bytes, written * (long)bytes.Length);
                RandomAccess.FlushToDisk(file);
            }

            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            var target = new byte[1 << 20];
            foreach (var length in (int[])[4096, PartLengthBytes, ChunkLengthBytes, 1 << 20])
            {
                var offset = 0L;
                PerChunk(string.Create(CultureInfo.InvariantCulture, $"pread from the page cache, {length / 1024} KiB"), bytes, length, _ =>
                {
                    RandomAccess.Read(file, target.AsSpan(0, length), offset);
                    offset = (offset + length) % (Pieces * (long)bytes.Length);
                });
            }

            Print("write and fsync, 16 MiB at a time", Pieces * (double)bytes.Length / seconds, "wall");
        }
        finally
        {
            File.Delete(path);
        }
    }

    private delegate void Work(ReadOnlySpan<byte> chunk);

    /// <summary>Bytes for each second of CPU, so that other work on the machine counts little; of a few attempts the best.</summary>
    private static void PerChunk(string name, byte[] bytes, int chunkLengthBytes, Work work, string remark = "")
    {
        var best = 0.0;
        for (var attempt = 0; attempt < Attempts; attempt++)
            best = Math.Max(best, Attempt(bytes, chunkLengthBytes, work));
        Print(name, best, remark);
    }

    private static double Attempt(byte[] bytes, int chunkLengthBytes, Work work)
    {
        var done = 0L;
        var offset = 0;
        var before = Environment.CpuUsage.TotalTime;
        while (true)
        {
            // Enough for each look at the clock that the looking does not count.
            for (var until = done + (4 << 20); done < until; done += chunkLengthBytes)
            {
                work(bytes.AsSpan(offset, chunkLengthBytes));
                offset += chunkLengthBytes;
                if (offset == bytes.Length)
                    offset = 0;
            }

            var spent = Environment.CpuUsage.TotalTime - before;
            if (spent >= Shortest)
                return done / spent.TotalSeconds;
        }
    }

    private static void Print(string name, double bytesPerSecond, string remark) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {bytesPerSecond / 1e6:N0} | {remark} |"));
}
