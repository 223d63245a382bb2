using System.Buffers;
using System.IO.Hashing;
using System.Security.Cryptography;
using Strongroom.Store.Keys;
using Strongroom.Store.Manifests;

namespace Strongroom.Store.Packs;

/// <summary>A pack in the making: streams sealed frames to the backend and keeps 1 MiB of buffer and the directory in memory. Not for concurrent use.</summary>
internal sealed class PackWriter : IAsyncDisposable
{
    private const int BufferLengthBytes = 1 << 20;
    private readonly IBlobWriter blob;
    private readonly KeyRing ring;
    private readonly PackKey key;
    private readonly uint epoch;
    private readonly AesGcm aes;
    private readonly XxHash128 hash = new();
    private readonly List<PackEntry> entries = [];
    private byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferLengthBytes);
    private int buffered;
    private long flushedBytes;

    private PackWriter(IBlobWriter blob, KeyRing ring, PackContent content, uint packSeq, byte[] salt)
    {
        this.blob = blob;
        this.ring = ring;
        epoch = ring.CurrentEpoch;
        key = new(packSeq, content, PackFormat.DeriveKey(ring, epoch, packSeq, salt));
        aes = new AesGcm(key.Key, PackFormat.TagLengthBytes);
        Add(PackFormat.WriteHeader(content, packSeq, epoch, salt, ring.VaultId));
    }

    public uint PackSeq => key.PackSeq;

    public IReadOnlyList<PackEntry> Entries => entries;

    /// <summary>Bytes of the pack so far, buffered ones included.</summary>
    public long LengthBytes => flushedBytes + buffered;

    public bool HasRoom => entries.Count < PackFormat.WriterFrameCount;

    public static async Task<PackWriter> CreateAsync(
        IBlobBackend backend, KeyRing ring, PackContent content, uint packSeq, byte[] salt, CancellationToken cancellationToken)
    {
        var blob = await backend.CreateAsync(PackFormat.NameOf(content, packSeq), cancellationToken);
        return new(blob, ring, content, packSeq, salt);
    }

    /// <summary>Seals a chunk as the next frame; where it will lie once the pack is sealed.</summary>
    public async ValueTask<Slot> AppendAsync(ChunkId id, EncodedChunk chunk, CancellationToken cancellationToken)
    {
        // Room for the whole frame first: nothing may fail after an ordinal, which is the nonce, has been used.
        if (buffered + chunk.StoredLengthBytes > BufferLengthBytes)
            await FlushBufferAsync(cancellationToken);
        if (chunk.StoredLengthBytes > buffer.Length)
            GrowBuffer(chunk.StoredLengthBytes);
        var ordinal = entries.Count;
        var entry = new PackEntry(id, (uint)LengthBytes, chunk.StoredLengthBytes, chunk.RawLengthBytes, chunk.Codec);
        FrameFormat.Seal(aes, ring.VaultId, PackSeq, (uint)ordinal, chunk, buffer.AsSpan(buffered, chunk.StoredLengthBytes));
        buffered += chunk.StoredLengthBytes;
        entries.Add(entry);
        return entry.ToSlot(PackSeq, ordinal);
    }

    /// <summary>Writes directory and trailer, reads every <paramref name="verifyEvery"/>-th frame (and the last) back and opens it, and only then makes the pack visible and durable.</summary>
    /// <exception cref="StoreException">Corrupt when the storage does not give back what was written: the pack is not made visible.</exception>
    public async Task SealAsync(int verifyEvery, byte[] idKey, FrameCodecPool codecs, CancellationToken cancellationToken)
    {
        var directoryOffset = LengthBytes;
        var directory = PackFormat.SealDirectory(aes, ring.VaultId, PackSeq, entries);
        for (var rest = directory.AsMemory(); rest.Length > 0;)
        {
            if (buffered >= BufferLengthBytes)
                await FlushBufferAsync(cancellationToken);
            var piece = rest[..Math.Min(rest.Length, BufferLengthBytes - buffered)];
            Add(piece.Span);
            rest = rest[piece.Length..];
        }

        await FlushBufferAsync(cancellationToken);
        var trailer = PackFormat.WriteTrailer((uint)directoryOffset, directory.Length, entries.Count, PackSeq, epoch, hash);
        await blob.AppendAsync(trailer, cancellationToken);
        await blob.FlushAsync(cancellationToken);
        await VerifyAsync(verifyEvery, idKey, directory, directoryOffset, codecs, cancellationToken);
        if (!await blob.CommitAsync(cancellationToken))
            throw new StoreException(StoreErrorKind.Conflict, $"Pack {PackSeq:x8} exists already, though its number was reserved for this backup: the vault's log may have been put back to an older state. Nothing was committed; run a verification of the vault, then the backup again.");
    }

    public async ValueTask DisposeAsync()
    {
        aes.Dispose();
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
        await blob.DisposeAsync();
    }

    private async Task VerifyAsync(
        int verifyEvery, byte[] idKey, byte[] directory, long directoryOffset, FrameCodecPool codecs, CancellationToken cancellationToken)
    {
        var codec = codecs.Rent();
        var raw = ArrayPool<byte>.Shared.Rent(entries.Max(entry => entry.RawLengthBytes));
        try
        {
            // The directory is what an index is rebuilt from; it must come back as it went.
            var found = codec.StoredBuffer(directory.Length);
            if (await blob.ReadBackAsync(directoryOffset, found, cancellationToken) != directory.Length || !found.Span.SequenceEqual(directory))
                throw NotGivenBack();
            for (var i = 0; i < entries.Count; i++)
            {
                if (i % verifyEvery != 0 && i != entries.Count - 1)
                    continue;
                var frame = codec.StoredBuffer(entries[i].StoredLengthBytes);
                if (await blob.ReadBackAsync(entries[i].OffsetBytes, frame, cancellationToken) != frame.Length)
                    throw NotGivenBack();
                codec.Open(key, ring.VaultId, idKey, entries[i].ToSlot(PackSeq, i), frame.Span, raw.AsSpan(0, entries[i].RawLengthBytes));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(raw);
            codecs.Return(codec);
        }
    }

    /// <summary>For a chunk that is longer than the buffer, which is empty.</summary>
    private void GrowBuffer(int lengthBytes)
    {
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = ArrayPool<byte>.Shared.Rent(lengthBytes);
    }

    private StoreException NotGivenBack() => new(
        StoreErrorKind.Corrupt,
        $"The storage did not give back what was written to pack {PackSeq:x8}. The backup was stopped and nothing was committed; check the disk and the memory of this machine.");

    private void Add(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(buffer.AsSpan(buffered));
        buffered += bytes.Length;
    }

    private async ValueTask FlushBufferAsync(CancellationToken cancellationToken)
    {
        if (buffered == 0)
            return;
        var bytes = buffer.AsMemory(0, buffered);
        await blob.AppendAsync(bytes, cancellationToken);

        // After it: a write that failed is repeated by the next chunk, and must not count twice.
        hash.Append(bytes.Span);
        flushedBytes += buffered;
        buffered = 0;
    }
}
