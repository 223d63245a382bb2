using Strongroom.Store.Packs;
using Strongroom.Store.Scrub;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Scrub;

public sealed class PackDigestTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_pack_is_taken_whole_in_whichever_pieces_it_is_read()
    {
        var (storage, vaultId, packSeq) = await MakeAsync();
        var stored = await storage.ContentAsync(PackFormat.NameOf(PackContent.Data, packSeq));
        for (var piece = PackFormat.TrailerLengthBytes; piece < 3 * PackFormat.TrailerLengthBytes; piece++)
        {
            var taken = new MemoryStream();
            Assert.Equal(stored.Length, await TakeAsync(new InPieces(storage, piece), vaultId, packSeq, taken));
            Assert.Equal(stored, taken.ToArray());
        }
    }

    [Fact]
    public async Task Nothing_wrong_is_taken_whichever_byte_is_misread_at_the_end()
    {
        var (storage, vaultId, packSeq) = await MakeAsync();
        var length = (await storage.ContentAsync(PackFormat.NameOf(PackContent.Data, packSeq))).Length;
        for (var at = length - PackFormat.TrailerLengthBytes; at < length; at++)
        {
            foreach (var looks in (int[])[0, 1])
            {
                using var taken = new MemoryStream();
                var failure = await Assert.ThrowsAsync<StoreException>(() => TakeAsync(new MisreadOnce(storage, at, looks), vaultId, packSeq, taken));
                Assert.Equal(StoreErrorKind.Corrupt, failure.Kind);
            }
        }
    }

    private static Task<long> TakeAsync(IBlobBackend backend, Guid vaultId, uint packSeq, MemoryStream taken) => PackDigest.CheckAsync(
        backend, PackContent.Data, packSeq, vaultId, data => taken.WriteAsync(data, None), None);

    private static async Task<(MemoryBackend Storage, Guid VaultId, uint PackSeq)> MakeAsync()
    {
        var storage = new MemoryBackend();
        await using var vault = await TestVault.CreateAsync(storage);
        var disk = new SparseDisk(1 << 20);
        disk.Write(0, TestVault.Noise(1, 5_000));
        await vault.BackUpAsync(disk);
        return (storage, vault.VaultId, PackFormat.ParseName(Assert.Single(await storage.AllAsync("packs/")).Name)!.Value);
    }

    /// <summary>A read gives back so many bytes at most.</summary>
    private sealed class InPieces(IBlobBackend inner, int greatest) : PassThroughBackend(inner)
    {
        public override ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) =>
            base.ReadAsync(name, offsetBytes, buffer[..Math.Min(greatest, buffer.Length)], cancellationToken);
    }

    /// <summary>One bit of a blob is wrong in one of the reads that hold it.</summary>
    private sealed class MisreadOnce(IBlobBackend inner, long at, int looks) : PassThroughBackend(inner)
    {
        private int seen;

        public override async ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            var count = await base.ReadAsync(name, offsetBytes, buffer, cancellationToken);
            if (at >= offsetBytes && at < offsetBytes + count && seen++ == looks)
                buffer.Span[(int)(at - offsetBytes)] ^= 1;
            return count;
        }
    }
}
