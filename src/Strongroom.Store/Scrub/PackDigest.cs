using System.Buffers;
using System.IO.Hashing;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Scrub;

/// <summary>Reads a pack from its first byte to its last and compares it with the digest in its trailer. Needs no key; finds rot, not malice.</summary>
/// <remarks>Memory: 1 MiB.</remarks>
internal static class PackDigest
{
    private const int ReadLengthBytes = 1 << 20;

    /// <param name="backend">Where the pack is.</param>
    /// <param name="content">What it holds.</param>
    /// <param name="packSeq">Its number.</param>
    /// <param name="vaultId">The vault that its header must name.</param>
    /// <param name="take">Takes what was read, in order; null when nobody wants it.</param>
    /// <param name="cancellationToken">Ends the check.</param>
    /// <returns>The pack's length in bytes.</returns>
    /// <exception cref="StoreException">Corrupt, NotFound: the pack is not what was written. Io.</exception>
    public static async Task<long> CheckAsync(
        IBlobBackend backend,
        PackContent content,
        uint packSeq,
        Guid vaultId,
        Func<ReadOnlyMemory<byte>, ValueTask>? take,
        CancellationToken cancellationToken)
    {
        var name = PackFormat.NameOf(content, packSeq);
        var length = await backend.GetLengthAsync(name, cancellationToken)
            ?? throw new StoreException(StoreErrorKind.NotFound, $"Pack {packSeq:x8} is missing");
        var end = new byte[PackFormat.TrailerLengthBytes];
        var read = length < end.Length ? 0 : await backend.ReadAsync(name, length - end.Length, end, cancellationToken);
        var trailer = PackFormat.ReadTrailer(end.AsSpan(0, read), packSeq, length);
        var buffer = ArrayPool<byte>.Shared.Rent(ReadLengthBytes);
        try
        {
            var hash = new XxHash128();
            for (var at = 0L; at < length; at += read)
            {
                read = await backend.ReadAsync(name, at, buffer.AsMemory(0, (int)Math.Min(ReadLengthBytes, length - at)), cancellationToken);
                if (read == 0)
                    throw StoreException.Corrupt($"Pack {packSeq:x8} is cut short");
                if (at == 0 && !PackFormat.IsHeaderOf(buffer.AsSpan(0, read), content, packSeq, vaultId))
                    throw StoreException.Corrupt($"The header of pack {packSeq:x8} is damaged or another vault's");

                // The digest covers neither itself nor what follows it: whoever takes the bytes gets the trailer that was checked.
                if (!Repeats(buffer.AsSpan(0, read), at - (length - end.Length), end))
                    throw StoreException.Corrupt($"The trailer of pack {packSeq:x8} reads differently each time");
                hash.Append(buffer.AsSpan(0, (int)Math.Clamp(trailer.DigestedLengthBytes - at, 0, read)));
                if (take is not null)
                    await take(buffer.AsMemory(0, read));
            }

            return hash.GetHashAndReset().AsSpan().SequenceEqual(trailer.Digest)
                ? length
                : throw StoreException.Corrupt($"Pack {packSeq:x8} does not match its digest");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>True when what of <paramref name="piece"/> lies in the trailer is the same there; the piece begins so many bytes after the trailer's first.</summary>
    private static bool Repeats(ReadOnlySpan<byte> piece, long offsetBytes, ReadOnlySpan<byte> trailer)
    {
        var seen = piece[(int)Math.Clamp(-offsetBytes, 0, piece.Length)..];
        return seen.SequenceEqual(trailer.Slice((int)Math.Max(0, offsetBytes), seen.Length));
    }
}
