using System.IO.Hashing;
using Strongroom.Store.Keys;
using Strongroom.Store.Packs;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Packs;

public sealed class PackWriterTests
{
    [Fact]
    public async Task A_pack_that_goes_on_after_a_failed_write_has_the_digest_of_its_bytes()
    {
        var inner = new MemoryBackend();
        var backend = new BrokenCommits(inner);
        var ring = KeyRing.Generate(Guid.NewGuid());
        using var codecs = new FrameCodecPool();
        await using (var pack = await PackWriter.CreateAsync(backend, ring, PackContent.Data, 1, new byte[16], CancellationToken.None))
        {
            backend.FailingAppends = 1;
            for (var i = 0; i < 6; i++)
            {
                var raw = TestVault.Noise(i, 256 * 1024);
                var id = ChunkId.Compute(ring.IdKey, raw);
                try
                {
                    await pack.AppendAsync(id, EncodedChunk.OfRaw(raw), CancellationToken.None);
                }
                catch (StoreException)
                {
                    await pack.AppendAsync(id, EncodedChunk.OfRaw(raw), CancellationToken.None);
                }
            }

            Assert.True(backend.FailingAppends < 0);
            await pack.SealAsync(1, ring.IdKey, codecs, CancellationToken.None);
        }

        var bytes = await inner.ContentAsync(PackFormat.NameOf(PackContent.Data, 1));
        Assert.Equal(XxHash128.Hash(bytes.AsSpan(0, bytes.Length - 40)), bytes[^40..^24]);
    }
}
