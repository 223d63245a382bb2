using System.Security.Cryptography;
using CsCheck;
using Strongroom.Store.Keys;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Packs;

public sealed class FrameTests : IDisposable
{
    private const uint Ordinal = 9;
    private static readonly int[] Lengths = [65_536, 65_537, 131_072, 262_144, 262_145];
    private readonly KeyRing ring = KeyRing.Generate(Guid.NewGuid());
    private readonly PackKey key = new(5, PackContent.Data, RandomNumberGenerator.GetBytes(32));
    private readonly FrameCodec codec = new();
    private readonly ChunkWorkspace workspace = new();

    private enum Texture
    {
        Noise,
        Prose,
        Zeros,
        Mixed,
    }

    [Fact]
    public void A_chunk_of_any_length_opens_whole_and_in_parts() =>
        Gen.Select(Gen.Frequency((1, Gen.Int[1, 300]), (3, Gen.Int[1, 600_000]), (1, Gen.Int[0, 4].Select(i => Lengths[i]))), Gen.Enum<Texture>(), Gen.Int[0, 9])
            .Sample((length, texture, first) =>
            {
                var raw = Fill(length, texture);
                var (slot, frame) = Seal(workspace.Encode(raw), ChunkId.Compute(ring.IdKey, raw));
                Assert.Equal(length > FrameFormat.PartLengthBytes, slot.Codec == ChunkCodec.Parts);
                var opened = new byte[length];
                codec.Open(key, ring.VaultId, ring.IdKey, slot, frame, opened);
                Assert.True(opened.AsSpan().SequenceEqual(raw));
                if (slot.Codec != ChunkCodec.Parts)
                    return;
                first %= FrameFormat.PartCountOf(length);
                var rest = raw.AsSpan(first * FrameFormat.PartLengthBytes);
                var parts = new byte[first % 2 == 0 ? rest.Length : FrameFormat.RawLengthOf(first, length)];
                codec.OpenParts(key, ring.VaultId, slot, frame, length, first, parts);
                Assert.True(rest[..parts.Length].SequenceEqual(parts));
            }, iter: 100, threads: 1);

    [Fact]
    public void A_frame_that_was_changed_or_moved_or_cut_never_opens() =>
        Gen.Select(Gen.Int[1, 200_000], Gen.Enum<Texture>(), Gen.Int[0, 6], Gen.Int[0, int.MaxValue]).Sample((length, texture, how, where) =>
        {
            var raw = Fill(length, texture);
            var (slot, frame) = Seal(workspace.Encode(raw), ChunkId.Compute(ring.IdKey, raw));
            var rawLength = length;
            switch (how)
            {
                case 0:
                    frame[where % frame.Length] ^= (byte)(1 << (where % 8));
                    break;
                case 1:
                    frame = frame[..(where % frame.Length)];
                    slot = slot with { StoredLengthBytes = frame.Length };
                    break;
                case 2:
                    frame = [.. frame, 0];
                    slot = slot with { StoredLengthBytes = frame.Length };
                    break;
                case 3:
                    slot = slot with { Ordinal = (ushort)(slot.Ordinal + 1) };
                    break;
                case 4:
                    slot = slot with { PackSeq = slot.PackSeq + 1 };
                    break;
                case 5:
                    slot = slot with { Codec = (ChunkCodec)(((int)slot.Codec + 1 + (where % 14)) % 16) };
                    break;
                default:
                    rawLength = length == 1 ? 2 : length - 1;
                    break;
            }

            var failure = Assert.Throws<StoreException>(() => codec.Open(key, ring.VaultId, ring.IdKey, slot, frame, new byte[rawLength]));
            Assert.Equal(StoreErrorKind.Corrupt, failure.Kind);
            if (how != 0)
                Assert.Throws<StoreException>(() => codec.OpenParts(key, ring.VaultId, slot, frame, rawLength, 0, new byte[Math.Min(rawLength, FrameFormat.PartLengthBytes)]));
        }, iter: 200, threads: 1);

    [Fact]
    public void What_is_sealed_well_but_is_no_zstd_is_refused() =>
        Gen.Select(Gen.Byte.Array[0, 200], Gen.Int[1, 140_000]).Sample((payload, rawLength) =>
        {
            var chunk = new EncodedChunk();
            chunk.Begin(rawLength);
            for (var i = 0; i < FrameFormat.PartCountOf(rawLength); i++)
                chunk.Add(new(payload, true));
            chunk.Complete();
            var (slot, frame) = Seal(chunk, default);
            var failure = Assert.Throws<StoreException>(() => codec.Open(key, ring.VaultId, ring.IdKey, slot, frame, new byte[rawLength]));
            Assert.Equal(StoreErrorKind.Corrupt, failure.Kind);
        }, iter: 200, threads: 1);

    [Fact]
    public void A_table_that_does_not_add_up_is_refused() =>
        Gen.Select(Gen.Int[0, 300].Array[1, 6], Gen.Int[-2, 2], Gen.Bool).Sample((lengths, error, isCompressed) =>
        {
            using var aes = new AesGcm(key.Key, 16);
            var table = new byte[lengths.Length * 3];
            for (var i = 0; i < lengths.Length; i++)
                PackFormat.WriteUInt24(table.AsSpan(i * 3), lengths[i] | (isCompressed ? 1 << 23 : 0));
            var frame = new byte[Math.Max(0, lengths.Sum() + error) + table.Length + 16];
            var tail = frame.AsSpan(frame.Length - table.Length - 16);
            Span<byte> nonce = [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, (byte)Ordinal, 0, 0, 0];
            aes.Encrypt(nonce, table, tail[..table.Length], tail[table.Length..], "aad"u8);
            var parts = new FramePart[lengths.Length];
            var isGood = FrameFormat.TryOpenTable(aes, Ordinal, "aad"u8, frame, parts);
            Assert.Equal(frame.Length - tail.Length == lengths.Sum() && lengths.All(length => length >= 16), isGood);
            if (isGood)
                Assert.Equal(lengths, parts.Select(part => part.StoredLengthBytes));
        }, iter: 500);

    [Fact]
    public async Task A_chunk_that_is_longer_than_the_writers_buffer_fits()
    {
        var backend = new MemoryBackend();
        using var codecs = new FrameCodecPool();
        var chunks = new[] { TestVault.Noise(1, 100), TestVault.Noise(2, 4 << 20), TestVault.Prose(3, 300_000), TestVault.Noise(4, 2 << 20) };
        var slots = new List<Slot>();
        await using (var pack = await PackWriter.CreateAsync(backend, ring, PackContent.Data, 1, new byte[16], CancellationToken.None))
        {
            foreach (var raw in chunks)
                slots.Add(await pack.AppendAsync(ChunkId.Compute(ring.IdKey, raw), workspace.Encode(raw), CancellationToken.None));
            await pack.SealAsync(1, ring.IdKey, codecs, CancellationToken.None);
        }

        var reader = new PackReader(backend, ring, codecs);
        for (var i = 0; i < chunks.Length; i++)
        {
            var raw = new byte[chunks[i].Length];
            await reader.ReadChunkAsync(PackContent.Data, slots[i], raw, CancellationToken.None);
            Assert.True(raw.AsSpan().SequenceEqual(chunks[i]));
        }
    }

    public void Dispose()
    {
        codec.Dispose();
        workspace.Dispose();
    }

    private static byte[] Fill(int length, Texture texture)
    {
        var noise = TestVault.Noise(length, length);
        switch (texture)
        {
            case Texture.Prose:
                return TestVault.Prose(length, length);
            case Texture.Zeros:
                return new byte[length];
            case Texture.Mixed:
                TestVault.Prose(length, length / 2).CopyTo(noise, length / 4);
                return noise;
            default:
                return noise;
        }
    }

    private (Slot Slot, byte[] Frame) Seal(EncodedChunk chunk, ChunkId id)
    {
        using var aes = new AesGcm(key.Key, 16);
        var frame = new byte[chunk.StoredLengthBytes];
        FrameFormat.Seal(aes, ring.VaultId, key.PackSeq, Ordinal, chunk, frame);
        return (new(SlotKind.Whole, chunk.Codec, frame.Length, key.PackSeq, (ushort)Ordinal, 0, 64, id), frame);
    }
}
