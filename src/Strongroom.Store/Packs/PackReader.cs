using Strongroom.Store.Blobs;
using Strongroom.Store.Images;
using Strongroom.Store.Keys;

namespace Strongroom.Store.Packs;

/// <summary>Reads sealed packs, with bounded caches of their keys and directories. Thread-safe.</summary>
internal sealed class PackReader(IBlobBackend backend, KeyRing ring, FrameCodecPool codecs)
{
    private const int CachedKeys = 4096;
    private const int CachedDirectories = 64;
    private readonly RecentlyUsed<uint, PackKey> keys = new(CachedKeys);
    private readonly RecentlyUsed<uint, PackEntry[]> directories = new(CachedDirectories);

    public IBlobBackend Backend => backend;

    public KeyRing Ring => ring;

    public FrameCodecPool Codecs => codecs;

    public byte[] IdKeyOf(PackContent content) => content == PackContent.Data ? ring.IdKey : ring.NodeKey;

    public async ValueTask<PackKey> GetKeyAsync(PackContent content, uint packSeq, CancellationToken cancellationToken)
    {
        if (keys.TryGet(packSeq, out var key) && key.Content == content)
            return key;
        var header = new byte[PackFormat.HeaderLengthBytes];
        var read = await backend.ReadAsync(PackFormat.NameOf(content, packSeq), 0, header, cancellationToken);
        await ring.RequireEpochAsync(PackFormat.EpochOf(header), cancellationToken);
        key = PackFormat.ReadHeader(header.AsSpan(0, read), content, packSeq, ring);
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
        entries = PackFormat.OpenDirectory(key, ring.VaultId, directory.AsSpan(0, read), trailer.Count);
        directories.TryAdd(packSeq, entries);
        return entries;
    }

    public async ValueTask<PackTrailer> ReadTrailerAsync(PackContent content, uint packSeq, CancellationToken cancellationToken)
    {
        var name = PackFormat.NameOf(content, packSeq);
        var length = await backend.GetLengthAsync(name, cancellationToken)
            ?? throw new StoreException(StoreErrorKind.NotFound, $"Pack {packSeq:x8} is not in the vault. Run a verification of the vault.");
        var trailer = new byte[PackFormat.TrailerLengthBytes];
        var read = length < trailer.Length
            ? 0
            : await backend.ReadAsync(name, length - trailer.Length, trailer, cancellationToken);
        return PackFormat.ReadTrailer(trailer.AsSpan(0, read), packSeq, length);
    }

    /// <summary>Reads one chunk with one range read and checks it. <paramref name="raw"/> has the chunk's exact length.</summary>
    public async ValueTask ReadChunkAsync(PackContent content, Slot slot, Memory<byte> raw, CancellationToken cancellationToken)
    {
        RequireWhole(slot);
        var key = await GetKeyAsync(content, slot.PackSeq, cancellationToken);
        var codec = codecs.Rent();
        try
        {
            var frame = codec.StoredBuffer(slot.StoredLengthBytes);
            var read = await backend.ReadAsync(PackFormat.NameOf(content, slot.PackSeq), slot.OffsetBytes, frame, cancellationToken);
            codec.Open(key, ring.VaultId, IdKeyOf(content), slot, frame.Span[..read], raw.Span);
        }
        finally
        {
            codecs.Return(codec);
        }
    }

    /// <summary>Forgets a pack that was deleted.</summary>
    public void Forget(uint packSeq)
    {
        keys.Remove(packSeq);
        directories.Remove(packSeq);
    }

    internal static void RequireWhole(Slot slot)
    {
        if (slot.Kind != SlotKind.Whole || slot.Flags != 0)
            throw new StoreException(StoreErrorKind.Unsupported, $"The image holds a slot of kind {slot.Kind}, which a newer Strongroom wrote. Use that version to read it.");
    }
}
