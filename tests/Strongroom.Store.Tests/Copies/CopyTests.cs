using Strongroom.Store.Copies;
using Strongroom.Store.Log;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Copies;

public sealed class CopyTests
{
    private static readonly CopyOptions One = new() { Parallelism = 1 };

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_copy_on_another_back_end_opens_with_the_same_key_and_restores_and_verifies()
    {
        using var folder = new TemporaryFolder();
        var (storage, disks) = await MakeAsync();
        var target = new LocalBackend(folder.Path);
        var report = await VaultCopy.RunAsync(storage, target, new(), null, None);
        Assert.Empty(report.Problems);
        await AssertHoldsAsync(target, disks);
    }

    [Fact]
    public async Task A_second_run_copies_what_came_since_and_a_third_nothing()
    {
        var (storage, disks) = await MakeAsync();
        var target = new MemoryBackend();
        var first = await VaultCopy.RunAsync(storage, target, new(), null, None);
        await using (var vault = await TestVault.OpenAsync(storage))
            await BackUpAsync(vault, disks, 50);
        var second = await VaultCopy.RunAsync(storage, target, new(), null, None);
        Assert.InRange(second.BytesCopied, 1, first.BytesCopied - 1);
        Assert.True(second.PacksPresent > 0);
        Assert.Equal(0, (await VaultCopy.RunAsync(storage, target, new(), null, None)).BlobsCopied);
        await AssertHoldsAsync(target, disks);
    }

    [Theory]
    [InlineData((int)Death.Before)]
    [InlineData((int)Death.After)]
    public async Task A_copy_that_dies_at_any_change_leaves_no_vault_or_one_that_opens_and_is_finished_by_the_next_run(int death)
    {
        var (storage, disks) = await MakeAsync();
        var before = new Dictionary<SnapshotId, SparseDisk>(disks);
        var old = new MemoryBackend();
        await VaultCopy.RunAsync(storage, old, One, null, None);
        await using (var vault = await TestVault.OpenAsync(storage))
        {
            await BackUpAsync(vault, disks, 60);
            await vault.Keys.RotateAsync(None);
        }

        foreach (var start in (MemoryBackend[])[new(), old])
        {
            for (var diesAt = 0; ; diesAt++)
            {
                var target = await start.CopyAsync();
                var dying = new DyingBackend(target, diesAt, (Death)death);
                try
                {
                    await VaultCopy.RunAsync(storage, dying, One, null, None);
                }
                catch (StoreException)
                {
                    Assert.True(dying.IsDead);
                }

                // What opens it may write to it; the copy itself goes on from what the death left.
                var seen = await target.CopyAsync();
                if (await VaultStore.ExistsAsync(seen, None))
                {
                    await using var vault = await TestVault.OpenAsync(seen);
                    foreach (var (id, disk) in before.Where(one => start == old || vault.Find(one.Key) is not null))
                        await vault.AssertRestoresAsync(vault.Require(id).Images[0].Image, disk);
                }

                await VaultCopy.RunAsync(storage, target, One, null, None);
                if (diesAt % 5 == 0 || !dying.IsDead)
                    await AssertHoldsAsync(target, disks);
                if (!dying.IsDead)
                    break;
            }
        }
    }

    [Fact]
    public async Task Another_vault_or_a_copy_that_went_its_own_way_is_refused_and_not_touched()
    {
        var (storage, disks) = await MakeAsync();
        var (other, _) = await MakeAsync();
        await AssertRefusedAsync(storage, other, StoreErrorKind.AlreadyExists);
        var half = new MemoryBackend();
        foreach (var blob in (await other.AllAsync("packs/"))[..1])
            await half.PutIfAbsentAsync(blob.Name, await other.ContentAsync(blob.Name), None);
        await AssertRefusedAsync(storage, half, StoreErrorKind.AlreadyExists);

        var branch = new MemoryBackend();
        await VaultCopy.RunAsync(storage, branch, new(), null, None);
        await using (var vault = await TestVault.OpenAsync(branch))
            await BackUpAsync(vault, [], 70);
        await AssertRefusedAsync(storage, branch, StoreErrorKind.Conflict);
        await using (var vault = await TestVault.OpenAsync(storage))
        {
            for (var i = 0; i < 4; i++)
                await BackUpAsync(vault, disks, 80 + i);
        }

        await AssertRefusedAsync(storage, branch, StoreErrorKind.Conflict);
    }

    [Fact]
    public async Task Damage_in_the_source_is_not_copied_but_reported_and_does_not_overwrite_what_the_copy_has()
    {
        var (storage, disks) = await MakeAsync();
        var target = new MemoryBackend();
        await VaultCopy.RunAsync(storage, target, new(), null, None);
        var known = (await storage.AllAsync("packs/"))[0].Name;
        await RotAsync(storage, known);
        var all = (await storage.AllAsync("packs/")).Select(blob => blob.Name).ToHashSet();
        await using (var vault = await TestVault.OpenAsync(storage))
            await BackUpAsync(vault, disks, 90);
        var added = (await storage.AllAsync("packs/")).First(blob => !all.Contains(blob.Name)).Name;
        await RotAsync(storage, added);
        var report = await VaultCopy.RunAsync(storage, target, new(), null, None);
        Assert.Contains(added[^8..], Assert.Single(report.Problems), StringComparison.Ordinal);
        Assert.Null(await target.GetLengthAsync(added, None));
        await using var copy = await TestVault.OpenAsync(target);
        Assert.Equal(disks.Count, copy.Snapshots.Count);
        await copy.AssertRestoresAsync(copy.Require(disks.Keys.First()).Images[0].Image, disks.Values.First());
    }

    [Fact]
    public async Task What_a_collection_of_the_source_removed_goes_from_the_copy_when_the_caller_vouches_for_it()
    {
        var (storage, disks) = await MakeAsync();
        var target = new MemoryBackend();
        await VaultCopy.RunAsync(storage, target, new(), null, None);
        var gone = disks.Keys.First();
        disks.Remove(gone);
        await using var vault = await TestVault.OpenAsync(storage);
        await vault.DeleteSnapshotAsync(gone, None);
        Assert.True((await vault.CollectAsync([], TestVault.AtOnce, None)).PacksDeleted > 0);
        await storage.DeleteAsync((await storage.AllAsync("packs/"))[0].Name, None);
        var kept = await VaultCopy.RunAsync(storage, target, new(), null, None);
        Assert.Equal(0, kept.BlobsRemoved);
        var report = await VaultCopy.RunAsync(storage, target, new() { MayRemove = vault.IsSwept }, null, None);
        Assert.True(report.BlobsRemoved > 0);
        await AssertHoldsAsync(target, disks);
    }

    [Theory]
    [InlineData((int)ReadError.FirstByte)]
    [InlineData((int)ReadError.MiddleByte)]
    [InlineData((int)ReadError.LastByte)]
    [InlineData((int)ReadError.Short)]
    public async Task A_read_that_errs_once_does_not_end_up_in_the_copy(int error)
    {
        var (storage, disks) = await MakeAsync();
        for (var errsAt = 0; ; errsAt++)
        {
            // What vault.json says is compared with the target's; nothing else of it is looked at.
            var erring = new ErringReads(storage, errsAt, (ReadError)error, VaultBirth.Name);
            var target = new MemoryBackend();
            var report = await VaultCopy.RunAsync(erring, target, One, null, None);
            Assert.Empty(report.Problems);
            foreach (var blob in await storage.AllAsync(""))
                Assert.Equal(await storage.ContentAsync(blob.Name), await target.ContentAsync(blob.Name));
            await AssertHoldsAsync(target, disks);
            if (!erring.HasErred)
                break;
        }
    }

    [Theory]
    [InlineData("packs/")]
    [InlineData("keys/")]
    [InlineData("vault.json")]
    public async Task A_target_that_calls_a_name_taken_which_is_free_does_not_end_up_without_the_blob(string prefix)
    {
        var (storage, disks) = await MakeAsync();
        var target = new TakenNames(prefix);
        var failure = await Assert.ThrowsAsync<StoreException>(() => VaultCopy.RunAsync(storage, target, One, null, None));
        Assert.Equal(StoreErrorKind.Conflict, failure.Kind);
        await VaultCopy.RunAsync(storage, target, One, null, None);
        await AssertHoldsAsync(target, disks);
    }

    [Theory]
    [InlineData("log/")]
    [InlineData("vault.json")]
    public async Task A_copy_keeps_its_keys_when_those_of_the_source_change_meanwhile(string prefix)
    {
        var (storage, disks) = await MakeAsync();
        await using var vault = await TestVault.OpenAsync(storage);
        var target = new NoticedPuts(prefix, () => vault.Keys.RotateAsync(None));
        await VaultCopy.RunAsync(storage, target, One, null, None);
        await AssertHoldsAsync(await target.Inner.CopyAsync(), disks);
        await VaultCopy.RunAsync(storage, target, One, null, None);
        await AssertHoldsAsync(target, disks);
    }

    [Theory]
    [InlineData(1_000_000)]
    [InlineData(long.MaxValue)]
    public async Task A_stray_file_far_beyond_the_end_of_the_log_keeps_no_later_entry_from_the_copy(long sequence)
    {
        var (storage, disks) = await MakeAsync();
        var target = new MemoryBackend();
        var stray = LogEntry.NameOf(sequence);
        await storage.PutIfAbsentAsync(stray, new byte[300], None);
        for (var i = 0; i < 2; i++)
        {
            var report = await VaultCopy.RunAsync(storage, target, One, null, None);
            Assert.Contains(stray, Assert.Single(report.Problems), StringComparison.Ordinal);
            Assert.Null(await target.GetLengthAsync(stray, None));
            await AssertHoldsAsync(target, disks);
            await using var vault = await TestVault.OpenAsync(storage);
            await BackUpAsync(vault, disks, 110 + i);
        }

        await storage.DeleteAsync(stray, None);
        Assert.Empty((await VaultCopy.RunAsync(storage, target, One, null, None)).Problems);
        await AssertHoldsAsync(target, disks);
    }

    private static async Task AssertRefusedAsync(IBlobBackend from, MemoryBackend to, StoreErrorKind kind)
    {
        var before = await to.AllAsync("");
        var failure = await Assert.ThrowsAsync<StoreException>(() => VaultCopy.RunAsync(from, to, new(), null, None));
        Assert.Equal(kind, failure.Kind);
        Assert.Equal(before, await to.AllAsync(""));
    }

    private static async Task AssertHoldsAsync(IBlobBackend target, Dictionary<SnapshotId, SparseDisk> disks)
    {
        await using var vault = await TestVault.OpenAsync(target);
        Assert.Equal(disks.Keys.ToHashSet(), vault.Snapshots.Select(snapshot => snapshot.Id).ToHashSet());
        foreach (var (id, disk) in disks)
            await vault.AssertRestoresAsync(vault.Require(id).Images[0].Image, disk);
        Assert.True((await vault.VerifyAsync(readData: true, null, None)).IsHealthy);
    }

    private static async Task RotAsync(MemoryBackend storage, string name)
    {
        var content = await storage.ContentAsync(name);
        content[100] ^= 1;
        await storage.ReplaceAsync(name, content);
    }

    private static async Task BackUpAsync(VaultStore vault, Dictionary<SnapshotId, SparseDisk> disks, int seed)
    {
        var disk = new SparseDisk(2 << 20);
        disk.Write(0, TestVault.Noise(seed, 600_000));
        disks[(await vault.BackUpAsync(disk)).Id] = disk;
    }

    private static async Task<(MemoryBackend Storage, Dictionary<SnapshotId, SparseDisk> Disks)> MakeAsync()
    {
        var storage = new MemoryBackend();
        await using var vault = await TestVault.CreateAsync(storage);
        var disks = new Dictionary<SnapshotId, SparseDisk>();
        for (var i = 0; i < 3; i++)
            await BackUpAsync(vault, disks, i);
        return (storage, disks);
    }

    /// <summary>Says once of a name that it is taken, and does nothing.</summary>
    private sealed class TakenNames(string prefix) : BentBackend
    {
        private bool hasLied;

        public override ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
            Lies(name) ? new(false) : base.PutIfAbsentAsync(name, content, cancellationToken);

        protected override ValueTask<bool> CommitAsync(string name, IBlobWriter inner, CancellationToken cancellationToken) =>
            Lies(name) ? new(false) : base.CommitAsync(name, inner, cancellationToken);

        private bool Lies(string name)
        {
            if (hasLied || !name.StartsWith(prefix, StringComparison.Ordinal))
                return false;
            return hasLied = true;
        }
    }

    /// <summary>Does something once, before the first blob of a folder is put.</summary>
    private sealed class NoticedPuts(string prefix, Func<Task> act) : BentBackend
    {
        private bool hasActed;

        public override async ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            if (!hasActed && name.StartsWith(prefix, StringComparison.Ordinal))
            {
                hasActed = true;
                await act();
            }

            return await base.PutIfAbsentAsync(name, content, cancellationToken);
        }
    }
}
