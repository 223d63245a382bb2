using System.Security.Cryptography;
using CsCheck;
using Strongroom.Store.Images;
using Strongroom.Store.Keys;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;
using Strongroom.Store.Scrub;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Packs;

/// <summary>Bytes that no writer makes: refused with a <see cref="StoreException"/>, whatever they are.</summary>
public sealed class PackFormatTests : IDisposable
{
    private readonly KeyRing ring = KeyRing.Generate(Guid.NewGuid());
    private readonly FrameCodecPool codecs = new();

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_pack_with_any_byte_changed_or_any_length_cut_is_found_by_the_check()
    {
        var backend = new MemoryBackend();
        await using (var pack = await PackWriter.CreateAsync(backend, ring, PackContent.Data, 1, new byte[16], None))
        {
            foreach (var raw in new[] { TestVault.Noise(1, 3), TestVault.Prose(2, 70_000), TestVault.Noise(3, 65_537) })
                await pack.AppendAsync(ChunkId.Compute(ring.IdKey, raw), EncodedChunk.OfRaw(raw), None);
            await pack.SealAsync(1, ring.IdKey, codecs, None);
        }

        var name = PackFormat.NameOf(PackContent.Data, 1);
        var good = await backend.ContentAsync(name);
        Assert.Equal(good.Length - 40, await CheckAsync(good));

        // Every byte of what is not payload, and a sample of what is.
        var places = Enumerable.Range(0, 100).Concat(Enumerable.Range(good.Length - 320, 320)).Concat(Enumerable.Range(0, 60).Select(i => i * 2250));
        foreach (var place in places)
        {
            var changed = good.ToArray();
            changed[place] ^= 0x20;
            await AssertRefusedAsync(changed);
            if (place % 7 == 0)
                await AssertRefusedAsync(good[..place]);
        }

        await AssertRefusedAsync([.. good, 0]);
    }

    [Fact]
    public void A_header_of_nonsense_is_refused() =>
        Gen.Byte.Array[0, 80].Sample(bytes =>
        {
            "SRPACK01"u8[..Math.Min(8, bytes.Length)].CopyTo(bytes);
            AssertStoreException(() => PackFormat.ReadHeader(bytes, PackContent.Data, 1, ring));
        });

    [Fact]
    public void A_trailer_of_nonsense_is_refused() =>
        Gen.Select(Gen.Byte.Array[0, 70], Gen.Long).Sample((bytes, length) =>
        {
            if (bytes.Length >= 64)
                "SRPKEND1"u8.CopyTo(bytes.AsSpan(56));
            AssertStoreException(() => PackFormat.ReadTrailer(bytes, 1, length));
        });

    [Fact]
    public async Task A_directory_that_is_sealed_well_and_says_nonsense_leads_nowhere() =>
        await Check.SampleAsync(Gen.Byte.Array[PackFormat.EntryLengthBytes * 3], async nonsense =>
        {
            var key = new byte[32];
            using var aes = new AesGcm(key, 16);
            var directory = new byte[nonsense.Length + 16];
            var aad = new byte[24];
            ring.VaultId.TryWriteBytes(aad, bigEndian: true, out _);
            aad[16] = 1;
            aad[20] = 3;
            aes.Encrypt([0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255], nonsense, directory.AsSpan(0, nonsense.Length), directory.AsSpan(nonsense.Length), aad);
            var entries = PackFormat.OpenDirectory(new(1, PackContent.Data, key), ring.VaultId, directory, 3);
            var backend = new MemoryBackend();
            await backend.PutIfAbsentAsync(PackFormat.NameOf(PackContent.Data, 1), PackFormat.WriteHeader(PackContent.Data, 1, 1, new byte[16], ring.VaultId), None);
            var reader = new PackReader(backend, ring, codecs);
            for (var i = 0; i < entries.Length; i++)
            {
                var slot = entries[i].ToSlot(1, i);
                await Assert.ThrowsAsync<StoreException>(() => reader.ReadChunkAsync(PackContent.Data, slot, new byte[entries[i].RawLengthBytes], None).AsTask());
                await Assert.ThrowsAsync<StoreException>(() => reader.ReadPartsAsync(slot, entries[i].RawLengthBytes, 0, new byte[Math.Min(65_536, entries[i].RawLengthBytes)], None).AsTask());
            }
        }, iter: 40, threads: 1);

    [Fact]
    public async Task An_image_reference_of_nonsense_leads_nowhere()
    {
        var reader = new PackReader(new MemoryBackend(), ring, codecs);
        await Check.SampleAsync(Gen.Select(Gen.Byte.Array[ImageRef.EncodedLengthBytes], Gen.Bool, Gen.Bool), async sample =>
        {
            var (bytes, isTall, isWhole) = sample;
            if (isTall)
                bytes[8] = (byte)ImageGeometry.HeightOf(BitConverter.ToInt64(bytes) & long.MaxValue);
            if (isWhole)
                bytes[9] = (byte)((bytes[9] & 0xF0) | 1);
            var image = ImageRef.Read(bytes);
            Assert.Equal(image.IsWellFormed, ImageRef.TryParse(image.ToString(), out _));
            if (image.Root.IsHole && image.IsWellFormed)
                return;
            await Assert.ThrowsAsync<StoreException>(async () => await new ManifestReader(reader, 16).FindAsync(image, 0, 0, None));
            await Assert.ThrowsAsync<StoreException>(async () => await new ManifestReader(reader, 16).ReadLeavesAsync(image, None).CountAsync(None));
        }, iter: 300, threads: 1);
    }

    public void Dispose() => codecs.Dispose();

    private static void AssertStoreException(Action action) => Assert.Throws<StoreException>(action);

    private async Task<long> CheckAsync(byte[] content)
    {
        var backend = new MemoryBackend();
        await backend.PutIfAbsentAsync(PackFormat.NameOf(PackContent.Data, 1), content, None);
        return await new PackCheck(new PackReader(backend, ring, codecs), PackContent.Data, 1).RunAsync(readData: true, None);
    }

    private async Task AssertRefusedAsync(byte[] content)
    {
        var failure = await Assert.ThrowsAsync<StoreException>(() => CheckAsync(content));
        Assert.Contains(failure.Kind, (StoreErrorKind[])[StoreErrorKind.Corrupt, StoreErrorKind.Unsupported]);
    }
}
