using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Scrub;

public sealed class DamageTests
{
    [Theory]
    [InlineData("packs/")]
    [InlineData("meta/")]
    [InlineData("idx/")]
    [InlineData("log/")]
    [InlineData("keys/")]
    [InlineData("vault.json")]
    public async Task A_flipped_bit_or_a_cut_anywhere_never_yields_wrong_bytes(string prefix)
    {
        var (storage, disks) = await MakeAsync();
        var random = new Random(5);
        foreach (var blob in (await storage.AllAsync("")).Where(blob => blob.Name.StartsWith(prefix, StringComparison.Ordinal)))
        {
            var content = await storage.ContentAsync(blob.Name);
            int[] places = [0, 9, content.Length / 2, content.Length - 1, random.Next(content.Length), random.Next(content.Length)];
            foreach (var place in places.Where(place => place < content.Length))
            {
                var flipped = content.ToArray();
                flipped[place] ^= (byte)(1 << random.Next(8));
                await AssertNeverWrongAsync(storage, blob.Name, flipped, disks);
            }

            await AssertNeverWrongAsync(storage, blob.Name, content[..(content.Length / 2)], disks);
            await AssertNeverWrongAsync(storage, blob.Name, [], disks);
        }
    }

    [Theory]
    [InlineData("packs/")]
    [InlineData("meta/")]
    public async Task Verification_finds_damage_and_names_the_snapshots_it_touches(string prefix)
    {
        var (storage, _) = await MakeAsync();
        foreach (var blob in await storage.AllAsync(prefix))
        {
            var copy = await storage.CopyAsync();
            var content = await copy.ContentAsync(blob.Name);
            content[content.Length / 3] ^= 4;
            await copy.ReplaceAsync(blob.Name, content);
            await using var vault = await TestVault.OpenAsync(copy);
            var report = await vault.VerifyAsync(readData: true, null, CancellationToken.None);
            Assert.NotEmpty(report.Problems.SelectMany(problem => problem.Snapshots));
            Assert.All(report.Problems.SelectMany(problem => problem.Snapshots), id => Assert.NotNull(vault.Find(id)));
        }
    }

    [Fact]
    public async Task A_backup_after_the_loss_of_a_pack_stores_anew_what_its_parent_has_lost()
    {
        var storage = new MemoryBackend();
        var disk = new SparseDisk(3 << 20);
        disk.Write(0, TestVault.Noise(1, 3 << 20));
        ImageRef parent;
        await using (var vault = await TestVault.CreateAsync(storage))
            parent = (await vault.BackUpAsync(disk)).Images[0].Image;
        await storage.DeleteAsync((await storage.AllAsync("packs/"))[0].Name, CancellationToken.None);

        await using var opened = await TestVault.OpenAsync(storage);
        var next = await opened.BackUpAsync(disk, parent);

        await opened.AssertRestoresAsync(next.Images[0].Image, disk);
    }

    [Fact]
    public async Task Verification_without_data_finds_a_missing_pack()
    {
        var (storage, _) = await MakeAsync();
        var gone = (await storage.AllAsync("packs/"))[0];
        await storage.DeleteAsync(gone.Name, CancellationToken.None);
        await using var vault = await TestVault.OpenAsync(storage);
        var report = await vault.VerifyAsync(readData: false, null, CancellationToken.None);
        Assert.False(report.IsHealthy);
        Assert.Contains(report.Problems, problem => problem.What.Contains(gone.Name[^8..], StringComparison.Ordinal) && problem.Snapshots.Count > 0);
    }

    [Fact]
    public async Task What_a_damaged_pack_held_is_stored_anew_by_the_next_full_backup()
    {
        var storage = new MemoryBackend();
        var disk = new SparseDisk(4 << 20);
        disk.Write(0, TestVault.Noise(1, 2 << 20));
        await using (var vault = await TestVault.CreateAsync(storage))
            await vault.BackUpAsync(disk);
        foreach (var blob in await storage.AllAsync("packs/"))
        {
            var content = await storage.ContentAsync(blob.Name);
            await storage.ReplaceAsync(blob.Name, content[..100]);
        }

        await using var again = await TestVault.OpenAsync(storage);
        var second = await again.BackUpCountedAsync(disk);
        Assert.Equal(2 << 20, second.Statistics.BytesNew);
        await again.AssertRestoresAsync(second.Image, disk);
    }

    [Fact]
    public async Task A_storage_that_does_not_give_back_what_it_took_fails_the_backup_before_the_commit()
    {
        var lying = new LyingBackend(new MemoryBackend());
        await using var vault = await TestVault.CreateAsync(lying, TestVault.Small with { VerifyEvery = 1 });
        var disk = new SparseDisk(4 << 20);
        disk.Write(0, TestVault.Noise(1, 2 << 20));
        lying.IsLying = true;
        var failure = await Assert.ThrowsAsync<StoreException>(() => vault.BackUpAsync(disk));
        Assert.Equal(StoreErrorKind.Corrupt, failure.Kind);
        Assert.Empty(vault.Snapshots);
    }

    private static async Task<(MemoryBackend Storage, Dictionary<SnapshotId, SparseDisk> Disks)> MakeAsync()
    {
        var storage = new MemoryBackend();
        await using var vault = await TestVault.CreateAsync(storage);
        var disks = new Dictionary<SnapshotId, SparseDisk>();
        var disk = new SparseDisk(70L << 20);
        ImageRef? parent = null;
        for (var i = 0; i < 3; i++)
        {
            disk.Write(i << 20, TestVault.Noise(i, 1_500_000));
            disk.Write((65L << 20) + (i * 300_000), TestVault.Prose(i, 900_000));
            var snapshot = await vault.BackUpAsync(disk, parent);
            parent = snapshot.Images[0].Image;
            disks[snapshot.Id] = disk.Resize(disk.LengthBytes);
        }

        return (storage, disks);
    }

    private static async Task AssertNeverWrongAsync(IBlobBackend storage, string name, byte[] content, Dictionary<SnapshotId, SparseDisk> disks)
    {
        var copy = await storage.CopyAsync();
        await copy.ReplaceAsync(name, content);
        VaultStore vault;
        try
        {
            vault = await TestVault.OpenAsync(copy);
        }
        catch (StoreException failure) when (failure.Kind is StoreErrorKind.Corrupt or StoreErrorKind.WrongKey or StoreErrorKind.Unsupported)
        {
            Assert.True(name == "vault.json" || name.StartsWith("keys/", StringComparison.Ordinal), $"The vault does not open: {failure.Message}");
            return;
        }

        await using (vault)
        {
            foreach (var snapshot in vault.Snapshots)
            {
                try
                {
                    await vault.AssertRestoresAsync(snapshot.Images[0].Image, disks[snapshot.Id]);
                }
                catch (StoreException failure)
                {
                    Assert.Contains(failure.Kind, (StoreErrorKind[])[StoreErrorKind.Corrupt, StoreErrorKind.NotFound, StoreErrorKind.Unsupported]);
                    Assert.True(name.StartsWith("packs/", StringComparison.Ordinal) || name.StartsWith("meta/", StringComparison.Ordinal));
                }
            }

            if (name.StartsWith("idx/", StringComparison.Ordinal))
                Assert.Equal(disks.Count, vault.Snapshots.Count);
        }
    }

    /// <summary>Gives back one bit wrong when asked for what was just written.</summary>
    private sealed class LyingBackend(IBlobBackend inner) : PassThroughBackend(inner)
    {
        public bool IsLying { get; set; }

        protected override async ValueTask<int> ReadBackAsync(
            string name, IBlobWriter writer, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            var read = await base.ReadBackAsync(name, writer, offsetBytes, buffer, cancellationToken);
            if (IsLying)
                buffer.Span[0] ^= 1;
            return read;
        }
    }
}
