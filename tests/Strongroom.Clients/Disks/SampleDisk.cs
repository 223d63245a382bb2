using System.Security.Cryptography;

namespace Strongroom.Clients.Disks;

/// <summary>
/// A raw disk of made-up content: random data, text that compresses, and holes, the same for the same seed.
/// </summary>
internal static class SampleDisk
{
    private const int BlockLengthBytes = 64 * 1024;

    /// <summary>Writes a disk of <paramref name="lengthBytes"/>: a third holes, a third random, a third compressible.</summary>
    public static void Create(string path, long lengthBytes, int seed)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var random = new Random(seed);
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite);
        RandomAccess.SetLength(file, lengthBytes);
        var block = new byte[BlockLengthBytes];
        for (long offset = 0; offset + BlockLengthBytes <= lengthBytes; offset += BlockLengthBytes)
        {
            switch (random.Next(3))
            {
                case 0:
                    continue;
                case 1:
                    random.NextBytes(block);
                    break;
                default:
                    FillWithText(block, random);
                    break;
            }
            RandomAccess.Write(file, block, offset);
        }
    }

    /// <summary>Overwrites about <paramref name="share"/> (0..1) of the disk in small random places.</summary>
    public static void Change(string path, double share, int seed)
    {
        var random = new Random(seed);
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        var lengthBytes = RandomAccess.GetLength(file);
        var toChangeBytes = Math.Max(4096, (long)(lengthBytes * share));
        var sector = new byte[4096];
        for (long changed = 0; changed < toChangeBytes; changed += sector.Length)
        {
            random.NextBytes(sector);
            RandomAccess.Write(file, sector, random.NextInt64(lengthBytes / sector.Length) * sector.Length);
        }
    }

    /// <summary>SHA-256 of the first <paramref name="lengthBytes"/> bytes of a file (all of it by default), in hex.</summary>
    public static string Sha256(string path, long lengthBytes = long.MaxValue)
    {
        using var stream = File.OpenRead(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1024 * 1024];
        var left = Math.Min(lengthBytes, stream.Length);
        while (left > 0)
        {
            var read = stream.Read(buffer, 0, (int)Math.Min(buffer.Length, left));
            if (read == 0)
                throw new EndOfStreamException($"{path} ended {left} bytes early.");
            hash.AppendData(buffer, 0, read);
            left -= read;
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void FillWithText(byte[] block, Random random)
    {
        ReadOnlySpan<byte> words = "backup vault policy schedule retention container item recovery point restore "u8;
        var start = random.Next(words.Length);
        for (var index = 0; index < block.Length; index++)
            block[index] = words[(start + index) % words.Length];
        BitConverter.TryWriteBytes(block, random.NextInt64());
    }
}
