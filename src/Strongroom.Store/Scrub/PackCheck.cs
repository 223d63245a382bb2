using System.Buffers;
using System.IO.Hashing;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Scrub;

/// <summary>Reads a pack once, from end to end: its digest, and every frame decrypted, decompressed and identified.</summary>
/// <remarks>Memory: 1 MiB, or the longest frame, + 256 KiB or the longest chunk. One instance checks one pack at a time.</remarks>
internal sealed class PackCheck(PackReader packs, PackContent content, uint packSeq)
{
    private const int ReadLengthBytes = 1 << 20;
    private readonly XxHash128 hash = new();
    private byte[] buffer = [];
    private byte[] raw = [];

    /// <summary>Checks that the directory opens, and with <paramref name="readData"/> all else. What is cached of the pack is not believed, but read again.</summary>
    /// <returns>Bytes of the pack read.</returns>
    /// <exception cref="StoreException">Corrupt, NotFound, Unsupported: the pack is not what was written. Io.</exception>
    public async Task<long> RunAsync(bool readData, CancellationToken cancellationToken)
    {
        packs.Forget(packSeq);
        var directory = await packs.GetDirectoryAsync(content, packSeq, cancellationToken);
        if (!readData)
            return 0;
        var trailer = await packs.ReadTrailerAsync(content, packSeq, cancellationToken);
        RequireGapless(directory, trailer);
        var key = await packs.GetKeyAsync(content, packSeq, cancellationToken);
        var codec = packs.Codecs.Rent();
        buffer = ArrayPool<byte>.Shared.Rent(Math.Max(ReadLengthBytes, directory.Max(entry => entry.StoredLengthBytes)));
        raw = ArrayPool<byte>.Shared.Rent(Math.Max(1, directory.Max(entry => entry.RawLengthBytes)));
        try
        {
            await ReadAsync(key, directory, trailer.DigestedLengthBytes, codec, cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(raw);
            ArrayPool<byte>.Shared.Return(buffer);
            packs.Codecs.Return(codec);
        }

        if (!hash.GetHashAndReset().AsSpan().SequenceEqual(trailer.Digest))
            throw Damaged($"Pack {packSeq:x8} does not match its digest");
        packs.Suspects.Remove(packSeq);
        return trailer.DigestedLengthBytes;
    }

    /// <summary>Reads in long pieces; a frame that a piece ends within is moved to the front of the next.</summary>
    private async Task ReadAsync(PackKey key, PackEntry[] directory, long lengthBytes, FrameCodec codec, CancellationToken cancellationToken)
    {
        var next = 0;
        var start = 0L;
        var kept = 0;
        while (start + kept < lengthBytes)
        {
            var wanted = (int)Math.Min(buffer.Length - kept, lengthBytes - start - kept);
            var read = await packs.Backend.ReadAsync(PackFormat.NameOf(content, packSeq), start + kept, buffer.AsMemory(kept, wanted), cancellationToken);
            if (read != wanted)
                throw Damaged($"Pack {packSeq:x8} is cut short");
            hash.Append(buffer.AsSpan(kept, read));
            kept += read;
            var done = next < directory.Length ? (int)(directory[next].OffsetBytes - start) : kept;
            while (next < directory.Length && directory[next].OffsetBytes + (long)directory[next].StoredLengthBytes <= start + kept)
            {
                var entry = directory[next];
                done = (int)(entry.OffsetBytes - start);
                packs.Open(
                    key, entry.ToSlot(packSeq, next), codec, buffer.AsSpan(done, entry.StoredLengthBytes), raw.AsSpan(0, entry.RawLengthBytes));
                done += entry.StoredLengthBytes;
                next++;
            }

            if (next == directory.Length)
                done = kept;
            buffer.AsSpan(done, kept - done).CopyTo(buffer);
            start += done;
            kept -= done;
        }
    }

    /// <summary>Frames follow each other from the header to the directory; so to read all of them is to read all of the pack.</summary>
    private void RequireGapless(PackEntry[] directory, PackTrailer trailer)
    {
        var offset = (long)PackFormat.HeaderLengthBytes;
        foreach (var entry in directory)
        {
            if (entry.OffsetBytes != offset)
                throw Damaged($"The directory of pack {packSeq:x8} does not account for every byte");
            offset += entry.StoredLengthBytes;
        }

        if (offset != trailer.DirectoryOffsetBytes)
            throw Damaged($"The directory of pack {packSeq:x8} does not account for every byte");
    }

    private StoreException Damaged(string what)
    {
        packs.Suspects.Add(packSeq, what);
        return StoreException.Corrupt(what);
    }
}
