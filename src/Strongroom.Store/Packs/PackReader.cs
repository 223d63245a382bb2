using System.Buffers;
using Strongroom.Store.Blobs;
using Strongroom.Store.Collection;
using Strongroom.Store.Keys;
using Strongroom.Store.Manifests;

namespace Strongroom.Store.Packs;

/// <summary>Reads sealed packs, with bounded caches of their keys and directories. Thread-safe.</summary>
internal sealed class PackReader(IBlobBackend backend, KeyRing ring, FrameCodecPool codecs)
{
    private const int CachedKeys = 4096;

    /// <summary>About 100 bytes a chunk of a new backup's neighbourhood: the directories of 70 GB of packs.</summary>
    private const long CachedDirectoryBytes = 32 << 20;
    private const int EntryMemoryBytes = 48;
    private readonly RecentlyUsed<uint, PackKey> keys = new(CachedKeys);
    private readonly RecentlyUsed<uint, PackEntry[]> directories = new(CachedDirectoryBytes, weightOf: entries => 256 + ((long)entries.Length * EntryMemoryBytes));

    private readonly FrameBlocks blocks = new(backend);

    public IBlobBackend Backend => backend;

    public KeyRing Ring => ring;

    public FrameCodecPool Codecs => codecs;

    /// <summary>Packs that gave back something else than was written.</summary>
    public SuspectPacks Suspects { get; init; } = new();

    /// <summary>Where chunks lie whose packs were compacted; without it, packs are read where slots say.</summary>
    public Relocations? Relocations { get; init; }

    public byte[] IdKeyOf(PackContent content) => content == PackContent.Data ? ring.IdKey : ring.NodeKey;

    public async ValueTask<PackKey> GetKeyAsync(PackContent content, uint packSeq, CancellationToken cancellationToken)
    {
        if (keys.TryGet(packSeq, out var key) && key.Content == content)
            return key;
        var header = new byte[PackFormat.HeaderLengthBytes];
        var read = await backend.ReadAsync(PackFormat.NameOf(content, packSeq), 0, header, cancellationToken);
        await ring.RequireEpochAsync(PackFormat.EpochOf(header), cancellationToken);
        key = Watch(packSeq, () => PackFormat.ReadHeader(header.AsSpan(0, read), content, packSeq, ring));
        keys.TryAdd(packSeq, key);
        return key;
    }

    public async ValueTask<PackEntry[]> GetDirectoryAsync(PackContent content, uint packSeq, CancellationToken cancellationToken)
    {
        if (directories.TryGet(packSeq, out var entries))
            return entries;
        var name = PackFormat.NameOf(content, packSeq);
        var key = await GetKeyAsync(content, packSeq, cancellationToken);
        var trailer = await ReadTrailerAsync(content, packSeq, cancellationToken);
        var directory = new byte[trailer.DirectoryLengthBytes];
        var read = await backend.ReadAsync(name, trailer.DirectoryOffsetBytes, directory, cancellationToken);
        entries = Watch(packSeq, () => PackFormat.OpenDirectory(key, ring.VaultId, directory.AsSpan(0, read), trailer.Count));
        directories.TryAdd(packSeq, entries);
        return entries;
    }

    public async ValueTask<PackTrailer> ReadTrailerAsync(PackContent content, uint packSeq, CancellationToken cancellationToken)
    {
        var name = PackFormat.NameOf(content, packSeq);
        var length = await backend.GetLengthAsync(name, cancellationToken)
            ?? throw StoreException.BlobMissing(name);
        var trailer = new byte[PackFormat.TrailerLengthBytes];
        var read = length < trailer.Length
            ? 0
            : await backend.ReadAsync(name, length - trailer.Length, trailer, cancellationToken);
        return Watch(packSeq, () => PackFormat.ReadTrailer(trailer.AsSpan(0, read), packSeq, length));
    }

    /// <summary>Reads one chunk with one range read and checks it. <paramref name="raw"/> has the chunk's exact length.</summary>
    public ValueTask ReadChunkAsync(PackContent content, Slot slot, Memory<byte> raw, CancellationToken cancellationToken) =>
        ReadChunkAsync(content, slot, raw, isAmongNeighbours: content == PackContent.Nodes, cancellationToken);

    /// <summary>As the other; with <paramref name="isAmongNeighbours"/> what lies beside the chunk is wanted soon.</summary>
    public ValueTask ReadChunkAsync(PackContent content, Slot slot, Memory<byte> raw, bool isAmongNeighbours, CancellationToken cancellationToken)
    {
        RequireWhole(slot);
        return ThroughRelocationsAsync(slot, (place, token) => ReadInPlaceAsync(content, place, raw, isAmongNeighbours, token), cancellationToken);
    }

    /// <summary>Where a chunk lies now, as far as the log was read.</summary>
    public ValueTask<Slot> ResolveAsync(Slot slot, CancellationToken cancellationToken) =>
        Relocations?.IsRelocated(slot.PackSeq) == true ? Relocations.ResolveAsync(slot, null, cancellationToken) : new(slot);

    /// <summary>Reads parts of a data chunk that is stored in parts, with one range read. <paramref name="target"/> has exactly their length.</summary>
    public async ValueTask ReadPartsAsync(Slot slot, int rawLengthBytes, int firstPart, Memory<byte> target, CancellationToken cancellationToken)
    {
        RequireWhole(slot);
        var codec = codecs.Rent();
        try
        {
            await ThroughRelocationsAsync(
                slot,
                async (place, token) =>
                {
                    var key = await GetKeyAsync(PackContent.Data, place.PackSeq, token);
                    if (IsUncompressed(place, rawLengthBytes))
                    {
                        await ReadUncompressedAsync(key, place, rawLengthBytes, firstPart, codec, target, token);
                        return;
                    }

                    var frame = await ReadFrameAsync(PackContent.Data, place, codec, token);
                    OpenParts(key, place, codec, frame.Span, rawLengthBytes, firstPart, target.Span);
                },
                cancellationToken);
        }
        finally
        {
            codecs.Return(codec);
        }
    }

    /// <summary>
    /// Compares a data chunk in parts with <paramref name="raw"/>, which is as long: bit k of the result says that part k differs. Once more than
    /// <paramref name="greatestCount"/> differ the rest counts as different, too.
    /// </summary>
    public async ValueTask<int> CompareAsync(Slot slot, ReadOnlyMemory<byte> raw, int greatestCount, CancellationToken cancellationToken)
    {
        RequireWhole(slot);
        var codec = codecs.Rent();
        var buffer = ArrayPool<byte>.Shared.Rent(FrameFormat.PartLengthBytes);
        var mask = 0;
        try
        {
            await ThroughRelocationsAsync(
                slot,
                async (place, token) =>
                {
                    var key = await GetKeyAsync(PackContent.Data, place.PackSeq, token);
                    var frame = await ReadFrameAsync(PackContent.Data, place, codec, token);
                    mask = Compare(key, place, codec, frame.Span, raw.Span, greatestCount, buffer);
                },
                cancellationToken);
            return mask;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            codecs.Return(codec);
        }
    }

    /// <summary>True when a part of a data chunk holds exactly these bytes.</summary>
    public async ValueTask<bool> IsPartAsync(Slot slot, int rawLengthBytes, int part, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(expected.Length);
        try
        {
            await ReadPartsAsync(slot, rawLengthBytes, part, buffer.AsMemory(0, expected.Length), cancellationToken);
            return expected.Span.SequenceEqual(buffer.AsSpan(0, expected.Length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Opens a frame that was read already. <paramref name="raw"/> has the chunk's exact length.</summary>
    public void Open(PackKey key, Slot slot, FrameCodec codec, ReadOnlySpan<byte> frame, Span<byte> raw)
    {
        try
        {
            codec.Open(key, ring.VaultId, IdKeyOf(key.Content), slot, frame, raw);
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.Corrupt)
        {
            // Whoever tries again reads again.
            blocks.Forget(slot.PackSeq);
            Suspects.Add(slot.PackSeq, failure.What);
            throw;
        }
    }

    /// <summary>Opens parts of a data frame that was read already: as many as <paramref name="target"/> holds.</summary>
    public void OpenParts(PackKey key, Slot slot, FrameCodec codec, ReadOnlySpan<byte> frame, int rawLengthBytes, int firstPart, Span<byte> target)
    {
        try
        {
            codec.OpenParts(key, ring.VaultId, slot, frame, rawLengthBytes, firstPart, target);
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.Corrupt)
        {
            Suspects.Add(slot.PackSeq, failure.What);
            throw;
        }
    }

    /// <summary>Reads a chunk where its slot says, checks it as a whole, its id included, and hands it on compressed as it is.</summary>
    /// <exception cref="StoreException">NotFound, Corrupt, Io.</exception>
    public async ValueTask<TResult> ReadEncodedAsync<TResult>(
        PackContent content, Slot slot, int rawLengthBytes, Func<EncodedChunk, ValueTask<TResult>> take, CancellationToken cancellationToken)
    {
        var key = await GetKeyAsync(content, slot.PackSeq, cancellationToken);
        var codec = codecs.Rent();
        var raw = ArrayPool<byte>.Shared.Rent(rawLengthBytes);
        try
        {
            var frame = await ReadFrameAsync(content, slot, codec, cancellationToken);
            Open(key, slot, codec, frame.Span, raw.AsSpan(0, rawLengthBytes));
            return await take(codec.OpenEncoded(key, ring.VaultId, slot, frame.Span, rawLengthBytes));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(raw);
            codecs.Return(codec);
        }
    }

    /// <summary>Forgets what is cached of a pack: it was deleted, or is to be read again.</summary>
    public void Forget(uint packSeq)
    {
        keys.Remove(packSeq);
        directories.Remove(packSeq);
        blocks.Forget(packSeq);
    }

    internal static void RequireWhole(Slot slot)
    {
        if (slot.Kind != SlotKind.Whole || slot.Flags != 0)
            throw new StoreException(StoreErrorKind.Unsupported, $"The image holds a slot of kind {slot.Kind}, which a newer Strongroom wrote. Use that version to read it.");
    }

    private async ValueTask ReadInPlaceAsync(PackContent content, Slot slot, Memory<byte> raw, bool isAmongNeighbours, CancellationToken cancellationToken)
    {
        var key = await GetKeyAsync(content, slot.PackSeq, cancellationToken);
        var codec = codecs.Rent();
        try
        {
            var frame = isAmongNeighbours && blocks.Holds(slot)
                ? await blocks.ReadAsync(content, slot, cancellationToken)
                : await ReadFrameAsync(content, slot, codec, cancellationToken);
            Open(key, slot, codec, frame.Span, raw.Span);
        }
        finally
        {
            codecs.Return(codec);
        }
    }

    private ValueTask ThroughRelocationsAsync(Slot slot, Func<Slot, CancellationToken, ValueTask> read, CancellationToken cancellationToken) =>
        Relocations is null ? read(slot, cancellationToken) : Relocations.ReadAsync(slot, read, cancellationToken);

    private int Compare(PackKey key, Slot slot, FrameCodec codec, ReadOnlySpan<byte> frame, ReadOnlySpan<byte> raw, int greatestCount, byte[] buffer)
    {
        var count = FrameFormat.PartCountOf(raw.Length);
        var mask = 0;
        for (var part = 0; part < count; part++)
        {
            var ours = raw.Slice(part * FrameFormat.PartLengthBytes, FrameFormat.RawLengthOf(part, raw.Length));
            OpenParts(key, slot, codec, frame, raw.Length, part, buffer.AsSpan(0, ours.Length));
            if (!ours.SequenceEqual(buffer.AsSpan(0, ours.Length)))
                mask |= 1 << part;
            if (int.PopCount(mask) > greatestCount)
                return (1 << count) - 1;
        }

        return mask;
    }

    private static bool IsUncompressed(Slot slot, int rawLengthBytes) =>
        slot.Codec == ChunkCodec.Parts && rawLengthBytes > FrameFormat.PartLengthBytes && slot.StoredLengthBytes == FrameFormat.UncompressedLengthOf(rawLengthBytes);

    /// <summary>Where no part was compressed the table says nothing new: the parts alone are read.</summary>
    private async ValueTask ReadUncompressedAsync(
        PackKey key, Slot slot, int rawLengthBytes, int firstPart, FrameCodec codec, Memory<byte> target, CancellationToken cancellationToken)
    {
        var lastPart = firstPart + ((target.Length - 1) / FrameFormat.PartLengthBytes);
        var (first, last) = (FrameFormat.UncompressedPartOf(firstPart, rawLengthBytes), FrameFormat.UncompressedPartOf(lastPart, rawLengthBytes));
        var pieces = codec.StoredBuffer(last.OffsetBytes + last.StoredLengthBytes - first.OffsetBytes);
        var read = await backend.ReadAsync(PackFormat.NameOf(PackContent.Data, slot.PackSeq), slot.OffsetBytes + first.OffsetBytes, pieces, cancellationToken);
        Watch(slot.PackSeq, () =>
        {
            codec.OpenUncompressedParts(key, ring.VaultId, slot, pieces.Span[..read], rawLengthBytes, firstPart, target.Span);
            return true;
        });
    }

    private T Watch<T>(uint packSeq, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.Corrupt)
        {
            Suspects.Add(packSeq, failure.What);
            throw;
        }
    }

    private async ValueTask<ReadOnlyMemory<byte>> ReadFrameAsync(PackContent content, Slot slot, FrameCodec codec, CancellationToken cancellationToken)
    {
        var frame = codec.StoredBuffer(slot.StoredLengthBytes);
        var read = await backend.ReadAsync(PackFormat.NameOf(content, slot.PackSeq), slot.OffsetBytes, frame, cancellationToken);
        return frame[..read];
    }
}
