using System.Buffers;
using System.Security.Cryptography;

namespace Strongroom.Demo;

/// <summary>What a disk was at one moment.</summary>
/// <param name="LengthBytes">The virtual size.</param>
/// <param name="DataBytes">How much of it the file system does not know to be zeros.</param>
/// <param name="Sha256">SHA-256 of the whole virtual size in lower-case hexadecimal.</param>
internal sealed record DiskFingerprint(long LengthBytes, long DataBytes, string Sha256)
{
    public const int BufferBytes = 1024 * 1024;

    private static readonly byte[] Zeros = new byte[BufferBytes];

    /// <summary>Reads a raw disk; holes are hashed as zeros but not read.</summary>
    /// <param name="path">The disk.</param>
    /// <param name="progress">Told the bytes done.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    public static async Task<DiskFingerprint> OfAsync(string path, Action<long> progress, CancellationToken cancellationToken)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, FileOptions.Asynchronous);
        var length = RandomAccess.GetLength(file);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var (offset, data) = (0L, 0L);
            foreach (var run in SparseFile.DataRuns(file, length))
            {
                HashZeros(hash, run.OffsetBytes - offset, cancellationToken);
                for (offset = run.OffsetBytes; offset < run.EndBytes;)
                {
                    var wanted = (int)Math.Min(BufferBytes, run.EndBytes - offset);
                    var got = await RandomAccess.ReadAsync(file, buffer.AsMemory(0, wanted), offset, cancellationToken);
                    if (got == 0)
                        throw new DemoException($"The disk '{path}' became shorter while it was read.");
                    hash.AppendData(buffer, 0, got);
                    offset += got;
                    data += got;
                    progress(offset);
                }
            }

            HashZeros(hash, length - offset, cancellationToken);
            progress(length);
            return new DiskFingerprint(length, data, Convert.ToHexStringLower(hash.GetHashAndReset()));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void HashZeros(IncrementalHash hash, long lengthBytes, CancellationToken cancellationToken)
    {
        for (; lengthBytes > 0; lengthBytes -= BufferBytes)
        {
            cancellationToken.ThrowIfCancellationRequested();
            hash.AppendData(Zeros, 0, (int)Math.Min(BufferBytes, lengthBytes));
        }
    }
}
