using CsCheck;
using Strongroom.Store.Index;
using Strongroom.Store.Keys;
using Strongroom.Store.Packs;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Index;

public sealed class DedupIndexTests : IDisposable
{
    private readonly MemoryBackend backend = new();
    private readonly KeyRing ring = KeyRing.Generate(Guid.NewGuid());
    private readonly FrameCodecPool codecs = new();

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Every_chunk_of_many_packs_is_found_through_buffer_segments_and_merges()
    {
        var known = new Dictionary<ChunkId, (uint, int)>();
        using (var index = NewIndex(_ => true))
        {
            for (var packSeq = 1u; packSeq <= 150; packSeq++)
                await PublishAsync(index, packSeq, known);
            Assert.InRange(index.SegmentCount, 2, 20);
            await AssertKnowsAsync(index, known);
        }

        using var again = NewIndex(_ => true);
        var covered = await again.LoadAsync(None);
        Assert.InRange(covered.Count, 140, 150);
        foreach (var packSeq in Enumerable.Range(1, 150).Select(i => (uint)i).Where(packSeq => !covered.Contains(packSeq)))
            await again.PublishAsync(packSeq, await NewReader().GetDirectoryAsync(PackContent.Data, packSeq, None), None);
        await AssertKnowsAsync(again, known);
    }

    [Fact]
    public async Task A_chunk_of_a_pack_that_is_gone_is_not_found()
    {
        var known = new Dictionary<ChunkId, (uint, int)>();
        var gone = new HashSet<uint>();
        using var index = NewIndex(packSeq => !gone.Contains(packSeq));
        for (var packSeq = 1u; packSeq <= 40; packSeq++)
            await PublishAsync(index, packSeq, known);
        gone.Add(7);
        gone.Add(40);
        foreach (var (id, (packSeq, _)) in known)
            Assert.Equal(gone.Contains(packSeq), await index.FindAsync(id, None) is null);
    }

    [Fact]
    public async Task A_damaged_segment_is_a_miss_and_is_rebuilt_from_the_packs()
    {
        var known = new Dictionary<ChunkId, (uint, int)>();
        using (var index = NewIndex(_ => true))
        {
            for (var packSeq = 1u; packSeq <= 20; packSeq++)
                await PublishAsync(index, packSeq, known);
            foreach (var blob in await backend.AllAsync("idx/"))
            {
                var content = await backend.ContentAsync(blob.Name);
                content[64 + 100] ^= 1;
                await backend.ReplaceAsync(blob.Name, content);
            }

            foreach (var id in known.Keys)
                Assert.True(await index.FindAsync(id, None) is not { } slot || slot.Id == id);
        }

        foreach (var blob in await backend.AllAsync("idx/"))
            await backend.ReplaceAsync(blob.Name, (await backend.ContentAsync(blob.Name))[..^4096]);
        using var again = NewIndex(_ => true);
        Assert.Empty(await again.LoadAsync(None));
        Assert.Empty(await backend.AllAsync("idx/"));
    }

    [Fact]
    public void A_bloom_filter_forgets_nothing_and_is_seldom_wrong() =>
        Gen.Select(Gen.Int[1, 5000], Gen.Int).Sample((count, seed) =>
        {
            var bloom = new BlockedBloom(count);
            for (var i = 0; i < count; i++)
                bloom.Add(Id(seed, i));
            for (var i = 0; i < count; i++)
                Assert.True(bloom.MayContain(Id(seed, i)));
            var wrong = Enumerable.Range(count, 2000).Count(i => bloom.MayContain(Id(seed, i)));
            Assert.InRange(wrong, 0, 120);
        }, iter: 20);

    [Fact]
    public void Ranges_hold_exactly_their_packs() =>
        Gen.UInt[0, 300].HashSet.Sample(packs =>
        {
            var set = PackRangeSet.OfPacks(packs);
            Assert.Equal(packs.Order(), set.Numbers);
            Assert.Equal(packs.Count, set.Count);
            Assert.True(set.Ranges.Zip(set.Ranges.Skip(1)).All(pair => pair.First.Last + 1 < pair.Second.First));
        });

    public void Dispose() => codecs.Dispose();

    private static ChunkId Id(int seed, int number) =>
        new(System.Security.Cryptography.SHA256.HashData(BitConverter.GetBytes(((long)seed << 32) | (uint)number)));

    private PackReader NewReader() => new(backend, ring, codecs);

    private DedupIndex NewIndex(Func<uint, bool> isUsable) => new(NewReader(), 64, isUsable);

    private async Task PublishAsync(DedupIndex index, uint packSeq, Dictionary<ChunkId, (uint, int)> known)
    {
        await using var pack = await PackWriter.CreateAsync(backend, ring, PackContent.Data, packSeq, new byte[16], None);
        for (var i = 0; i < 30; i++)
        {
            var raw = BitConverter.GetBytes(((long)packSeq << 32) | (uint)i);
            var id = ChunkId.Compute(ring.IdKey, raw);
            await pack.AppendAsync(id, EncodedChunk.OfRaw(raw), None);
            known[id] = (packSeq, i);
        }

        await pack.SealAsync(1, ring.IdKey, codecs, None);
        await index.PublishAsync(packSeq, pack.Entries, None);
    }

    private static async Task AssertKnowsAsync(DedupIndex index, Dictionary<ChunkId, (uint PackSeq, int Ordinal)> known)
    {
        foreach (var (id, (packSeq, ordinal)) in known)
        {
            var slot = await index.FindAsync(id, None);
            Assert.NotNull(slot);
            Assert.Equal((id, packSeq, ordinal), (slot.Value.Id, slot.Value.PackSeq, slot.Value.Ordinal));
        }

        for (var i = 0; i < 500; i++)
            Assert.Null(await index.FindAsync(Id(77, i), None));
    }
}
