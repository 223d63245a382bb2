using System.Text;
using Strongroom.Store.Copies;
using Strongroom.Store.Healing;
using Strongroom.Store.Packs;
using Strongroom.Store.Streams;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Healing;

public sealed class HealingTests
{
    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData("packs/")]
    [InlineData("meta/")]
    [InlineData("log/")]
    [InlineData("keys/")]
    [InlineData("gc/")]
    [InlineData("vault.json")]
    public async Task Every_blob_that_rots_or_is_lost_comes_back_from_a_copy_bit_for_bit(string prefix)
    {
        var (storage, replica, disks) = await MakeAsync();
        var names = (await storage.AllAsync("")).Where(blob => blob.Name.StartsWith(prefix, StringComparison.Ordinal)).Select(blob => blob.Name).ToList();
        Assert.NotEmpty(names);
        foreach (var name in names)
        {
            foreach (var isDeleted in (bool[])[true, false])
            {
                var copy = await storage.CopyAsync();
                await DamageAsync(copy, name, isDeleted);
                if (prefix is "packs/" or "meta/")
                    await ScrubAsync(copy);
                var report = await HealAsync(copy, replica);
                Assert.True(report.Problems.Count == 0, $"{name}: {string.Join('\n', report.Problems.Select(problem => problem.What))}");
                Assert.Equal([name], report.Mended);
                Assert.Equal(await storage.ContentAsync(name), await copy.ContentAsync(name));
                await AssertHoldsAsync(copy, disks);
            }
        }
    }

    [Fact]
    public async Task A_vault_that_lost_nearly_everything_comes_back_from_a_copy()
    {
        var (storage, replica, disks) = await MakeAsync();
        foreach (var blob in (await storage.AllAsync("")).Where(blob => !blob.Name.StartsWith("meta/", StringComparison.Ordinal)))
            await storage.DeleteAsync(blob.Name, None);
        Assert.Empty((await HealAsync(storage, replica)).Problems);
        await AssertHoldsAsync(storage, disks);
    }

    [Fact]
    public async Task A_damaged_last_entry_is_put_back_even_after_others_wrote_over_the_hole()
    {
        var (storage, replica, disks) = await MakeAsync();
        await DamageAsync(storage, (await storage.AllAsync("log/"))[^1].Name, isDeleted: false);
        await using (var vault = await TestVault.OpenAsync(storage))
            await BackUpAsync(vault, disks, 40);
        Assert.Empty((await HealAsync(storage, replica)).Problems);
        await AssertHoldsAsync(storage, disks);
        await using var healed = await TestVault.OpenAsync(storage);
        await healed.CollectAsync([.. disks.Keys], TestVault.AtOnce, None);
    }

    [Fact]
    public async Task A_healing_that_dies_at_any_change_is_finished_by_the_next()
    {
        var (storage, replica, disks) = await MakeAsync();
        await DamageAsync(storage, (await storage.AllAsync("packs/"))[0].Name, isDeleted: false);
        await DamageAsync(storage, (await storage.AllAsync("log/"))[^1].Name, isDeleted: false);
        await DamageAsync(storage, (await storage.AllAsync("meta/"))[0].Name, isDeleted: true);
        await ScrubAsync(storage);
        for (var diesAt = 0; ; diesAt++)
        {
            var copy = await storage.CopyAsync();
            var dying = new DyingBackend(copy, diesAt, diesAt % 2 == 0 ? Death.Before : Death.After);
            try
            {
                await HealAsync(dying, replica);
            }
            catch (StoreException)
            {
                Assert.True(dying.IsDead);
            }

            Assert.Empty((await HealAsync(copy, replica)).Problems);
            await AssertHoldsAsync(copy, disks);
            if (!dying.IsDead)
                break;
        }
    }

    [Fact]
    public async Task A_healing_onto_a_full_disk_says_so_and_is_finished_when_there_is_room()
    {
        var (storage, replica, disks) = await MakeAsync();
        await DamageAsync(storage, (await storage.AllAsync("packs/"))[0].Name, isDeleted: false);
        await DamageAsync(storage, (await storage.AllAsync("log/"))[^1].Name, isDeleted: false);
        await ScrubAsync(storage);
        await DamageAsync(storage, (await storage.AllAsync("keys/"))[0].Name, isDeleted: false);
        var isEnough = false;
        for (var room = 0L; !isEnough; room = (room * 2) + 64)
        {
            var copy = await storage.CopyAsync();
            var full = new FullBackend(copy);
            full.SetRoom(room);
            try
            {
                Assert.Empty((await HealAsync(full, replica)).Problems);
                isEnough = true;
            }
            catch (StoreException failure)
            {
                Assert.Equal(StoreErrorKind.Full, failure.Kind);
            }

            Assert.Empty((await HealAsync(copy, replica)).Problems);
            await AssertHoldsAsync(copy, disks);
        }
    }

    [Fact]
    public async Task A_replica_that_is_damaged_in_the_same_place_heals_nothing_and_says_so()
    {
        var (storage, replica, _) = await MakeAsync();
        var pack = (await storage.AllAsync("packs/"))[0].Name;
        await DamageAsync(storage, pack, isDeleted: false);
        var bad = await storage.ContentAsync(pack);
        await DamageAsync(replica, pack, isDeleted: false);
        await ScrubAsync(storage);
        var report = await HealAsync(storage, replica);
        Assert.Contains(report.Problems, problem => problem.What.Contains(pack[^8..], StringComparison.Ordinal));
        Assert.Empty(report.Mended);
        Assert.Equal(bad, await storage.ContentAsync(pack));
    }

    [Fact]
    public async Task A_replica_of_another_vault_or_an_empty_place_is_refused()
    {
        var (storage, replica, _) = await MakeAsync();
        var (other, _, _) = await MakeAsync();
        var stranger = await Assert.ThrowsAsync<StoreException>(() => HealAsync(storage, other));
        Assert.Equal(StoreErrorKind.InvalidRequest, stranger.Kind);
        var empty = new MemoryBackend();
        var nothing = await Assert.ThrowsAsync<StoreException>(() => HealAsync(empty, replica));
        Assert.Equal(StoreErrorKind.NotFound, nothing.Kind);
        Assert.Empty(await empty.AllAsync(""));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_vault_without_packs_that_lost_its_birth_and_keys_is_known_by_any_entry_of_its_log(bool isIdRotten)
    {
        var (storage, replica, disks) = await MakeWithoutPacksAsync(TestVault.Key);
        var birth = await storage.ContentAsync(VaultBirth.Name);
        var key = Assert.Single(await storage.AllAsync("keys/")).Name;
        await storage.DeleteAsync(key, None);
        if (isIdRotten)
            await RotIdAsync(storage);
        else
            await storage.DeleteAsync(VaultBirth.Name, None);
        foreach (var entry in (await storage.AllAsync("log/"))[1..])
            await DamageAsync(storage, entry.Name, isDeleted: false);
        var report = await HealAsync(storage, replica);
        Assert.Empty(report.Problems);
        Assert.Equal([VaultBirth.Name, key], report.Mended.Take(2));
        Assert.Equal(birth, await storage.ContentAsync(VaultBirth.Name));
        await AssertHoldsAsync(storage, disks);
    }

    [Fact]
    public async Task The_log_of_another_vault_is_not_healed_from_a_strange_replica()
    {
        var (other, _, _) = await MakeWithoutPacksAsync(TestVault.Key);
        var (_, replica, _) = await MakeWithoutPacksAsync(TestVault.Key);
        var (_, locked, _) = await MakeWithoutPacksAsync(TestKeys.File(7));
        await AssertRefusedAsync(other, replica, StoreErrorKind.InvalidRequest);
        await AssertRefusedAsync(other, locked, StoreErrorKind.InvalidRequest);
        foreach (var name in (string[])[VaultBirth.Name, Assert.Single(await other.AllAsync("keys/")).Name])
            await other.DeleteAsync(name, None);
        await AssertRefusedAsync(other, replica, StoreErrorKind.NotFound);
        await AssertRefusedAsync(other, locked, StoreErrorKind.WrongKey);
    }

    [Theory]
    [InlineData((int)ReadError.FirstByte)]
    [InlineData((int)ReadError.MiddleByte)]
    [InlineData((int)ReadError.LastByte)]
    [InlineData((int)ReadError.Short)]
    public async Task What_is_misread_of_the_replica_takes_no_packs_place(int error)
    {
        var (storage, replica, disks) = await MakeAsync();
        var pack = (await storage.AllAsync("packs/"))[0].Name;
        await DamageAsync(storage, pack, isDeleted: false);
        await ScrubAsync(storage);
        byte[][] expected = [await storage.ContentAsync(pack), await replica.ContentAsync(pack)];
        for (var errsAt = 0; ; errsAt++)
        {
            var copy = await storage.CopyAsync();
            var erring = new ErringReads(replica, errsAt, (ReadError)error);
            try
            {
                await HealAsync(copy, erring);
            }
            catch (StoreException)
            {
                Assert.True(erring.HasErred);
            }

            Assert.Contains(await copy.ContentAsync(pack), expected);
            Assert.Empty((await HealAsync(copy, replica)).Problems);
            await AssertHoldsAsync(copy, disks);
            if (!erring.HasErred)
                break;
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Keys_in_force_come_back_though_older_ones_were_left_behind(bool isDeleted)
    {
        var (storage, _, disks) = await MakeAsync();
        var older = (await storage.AllAsync("keys/"))[0].Name;
        var left = await storage.ContentAsync(older);
        await using (var vault = await TestVault.OpenAsync(storage))
            await vault.Keys.RotateAsync(None);
        var replica = await storage.CopyAsync();
        var newest = Assert.Single(await storage.AllAsync("keys/")).Name;
        await storage.PutIfAbsentAsync(older, left, None);
        await DamageAsync(storage, newest, isDeleted);
        Assert.Equal([newest], (await HealAsync(storage, replica)).Mended);
        Assert.Equal(newest, Assert.Single(await storage.AllAsync("keys/")).Name);
        await AssertHoldsAsync(storage, disks);
    }

    [Fact]
    public async Task A_lost_pack_behind_a_damaged_node_comes_back_in_one_healing()
    {
        var (storage, replica, disks) = await MakeAsync();
        foreach (var node in await storage.AllAsync("meta/"))
            await DamageAsync(storage, node.Name, isDeleted: false);
        await ScrubAsync(storage);
        foreach (var pack in await storage.AllAsync("packs/"))
            await storage.DeleteAsync(pack.Name, None);
        Assert.Empty((await HealAsync(storage, replica)).Problems);
        await AssertHoldsAsync(storage, disks);
    }

    [Fact]
    public async Task A_vault_whose_id_rotted_is_not_taken_for_another_one()
    {
        var (storage, replica, disks) = await MakeAsync();
        var birth = await storage.ContentAsync(VaultBirth.Name);
        await RotIdAsync(storage);
        Assert.Equal([VaultBirth.Name], (await HealAsync(storage, replica)).Mended);
        Assert.Equal(birth, await storage.ContentAsync(VaultBirth.Name));
        await AssertHoldsAsync(storage, disks);
    }

    [Fact]
    public async Task What_was_given_up_is_not_put_back()
    {
        var (storage, replica, disks) = await MakeAsync();
        Snapshot first;
        await using (var vault = await TestVault.OpenAsync(storage))
            first = vault.Snapshots.MinBy(snapshot => snapshot.LogSequence)!;
        await DamageAsync(storage, $"log/{first.LogSequence:D20}", isDeleted: true);
        await using (var vault = await TestVault.OpenAsync(storage))
            await vault.AcceptLossAsync(vault.LogLosses, [first.Id], None);
        Assert.Empty((await HealAsync(storage, replica)).Mended);
        disks.Remove(first.Id);
        await AssertHoldsAsync(storage, disks);
    }

    [Fact]
    public async Task Chunks_of_a_stream_stay_whole_when_a_collection_replaces_their_damaged_pack()
    {
        var storage = new MemoryBackend();
        var content = TestVault.Prose(1, 3 << 20);
        StreamRef stream;
        await using (var vault = await TestVault.CreateAsync(storage))
            stream = (await vault.StoreAsync(content)).Stream;
        await DamageAsync(storage, (await storage.AllAsync("packs/"))[0].Name, isDeleted: true);
        await ScrubAsync(storage);
        await using var opened = await TestVault.OpenAsync(storage);
        var next = (await opened.StoreAsync(content, stream)).Stream;
        Assert.Equal(1, (await opened.CollectAsync([], TestVault.AtOnce, None)).PacksCompacted);
        await opened.AssertRestoresAsync(stream, content);
        foreach (var (_, record) in await StreamRecords.ReadAllAsync(opened.Manifests, stream, None).ToListAsync())
            Assert.NotEqual(ChunkCodec.Parts, (await opened.Packs.ResolveAsync(record.Slot, None)).Codec);
        Assert.NotEqual(stream, next);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_collection_heals_old_snapshots_from_what_the_next_backup_stored_anew(bool isDeleted)
    {
        var storage = new MemoryBackend();
        var disk = new SparseDisk(3 << 20);
        disk.Write(0, TestVault.Noise(1, 3 << 20));
        Snapshot first;
        await using (var vault = await TestVault.CreateAsync(storage))
            first = await vault.BackUpAsync(disk);
        var pack = (await storage.AllAsync("packs/"))[0].Name;
        await DamageAsync(storage, pack, isDeleted);
        await ScrubAsync(storage);
        await using (var vault = await TestVault.OpenAsync(storage))
        {
            // Nothing else has its chunks yet: it stays where it is.
            await vault.CollectAsync([first.Id], TestVault.AtOnce, None);
            Assert.Equal(1, vault.QuarantinedPacks);
            await vault.BackUpAsync(disk, first.Images[0].Image);
            Assert.Equal(1, (await vault.CollectAsync([first.Id], TestVault.AtOnce, None)).PacksCompacted);
            Assert.Equal(0, vault.QuarantinedPacks);
        }

        Assert.Null(await storage.GetLengthAsync(pack, None));
        await using var healed = await TestVault.OpenAsync(storage);
        await healed.AssertRestoresAsync(first.Images[0].Image, disk);
        Assert.True((await healed.VerifyAsync(readData: true, null, None)).IsHealthy);
        Assert.True((await healed.ScrubAsync(new() { Deep = true }, null, None)).IsHealthy);
    }

    private static Task<HealReport> HealAsync(IBlobBackend storage, IBlobBackend replica) =>
        VaultHealing.RunAsync(storage, replica, TestVault.Key, TestVault.Small, TestVault.Clock(), null, None);

    private static async Task ScrubAsync(IBlobBackend storage)
    {
        await using var vault = await TestVault.OpenAsync(storage);
        Assert.NotEmpty((await vault.ScrubAsync(new(), null, None)).Damaged);
    }

    [Theory]
    [InlineData("vault.json")]
    [InlineData("keys/")]
    public async Task A_replica_that_is_taken_away_meanwhile_costs_nothing_of_the_vault(string prefix)
    {
        var (storage, replica, _) = await MakeAsync();
        var name = (await storage.AllAsync("")).Single(blob => blob.Name.StartsWith(prefix, StringComparison.Ordinal)).Name;
        await DamageAsync(storage, name, isDeleted: false);
        var damaged = await storage.ContentAsync(name);
        var failure = await Assert.ThrowsAsync<StoreException>(() => HealAsync(storage, new TakenAway(replica, name)));
        Assert.Equal(StoreErrorKind.NotFound, failure.Kind);
        Assert.Equal(damaged, await storage.ContentAsync(name));
    }

    /// <summary>Makes another, legible id of the one in vault.json.</summary>
    private static async Task RotIdAsync(MemoryBackend storage)
    {
        var rotten = Encoding.UTF8.GetString(await storage.ContentAsync(VaultBirth.Name));
        var at = rotten.IndexOf("vaultId", StringComparison.Ordinal) + "vaultId\":\"".Length;
        await storage.ReplaceAsync(VaultBirth.Name, Encoding.UTF8.GetBytes(rotten.Remove(at, 1).Insert(at, rotten[at] == '7' ? "6" : "7")));
    }

    private static async Task AssertRefusedAsync(MemoryBackend storage, IBlobBackend replica, StoreErrorKind kind)
    {
        var before = await storage.AllAsync("");
        Assert.Equal(kind, (await Assert.ThrowsAsync<StoreException>(() => HealAsync(storage, replica))).Kind);
        Assert.Equal(before, await storage.AllAsync(""));
    }

    private static async Task DamageAsync(MemoryBackend storage, string name, bool isDeleted)
    {
        var content = await storage.ContentAsync(name);
        content[content.Length / 2] ^= 1;
        if (isDeleted)
            await storage.DeleteAsync(name, None);
        else
            await storage.ReplaceAsync(name, content);
    }

    private static async Task AssertHoldsAsync(IBlobBackend storage, Dictionary<SnapshotId, SparseDisk> disks)
    {
        await using var vault = await TestVault.OpenAsync(storage);
        Assert.Equal(disks.Keys.ToHashSet(), vault.Snapshots.Select(snapshot => snapshot.Id).ToHashSet());
        foreach (var (id, disk) in disks)
            await vault.AssertRestoresAsync(vault.Require(id).Images[0].Image, disk);
        Assert.Equal(0, vault.QuarantinedPacks);
        Assert.True((await vault.VerifyAsync(readData: true, null, None)).IsHealthy);
    }

    private static async Task BackUpAsync(VaultStore vault, Dictionary<SnapshotId, SparseDisk> disks, int seed)
    {
        var disk = new SparseDisk(2 << 20);
        disk.Write(0, TestVault.Noise(seed, 600_000));
        disks[(await vault.BackUpAsync(disk)).Id] = disk;
    }

    /// <summary>A vault whose one disk was never written to, and a copy of it.</summary>
    private static async Task<(MemoryBackend Storage, MemoryBackend Replica, Dictionary<SnapshotId, SparseDisk> Disks)> MakeWithoutPacksAsync(IKeyEncryptionKey key)
    {
        var storage = new MemoryBackend();
        var disks = new Dictionary<SnapshotId, SparseDisk>();
        await using (var vault = await VaultStore.CreateAsync(storage, key, TestVault.Small, TestVault.Clock(), None))
        {
            var disk = new SparseDisk(2 << 20);
            disks[(await vault.BackUpAsync(disk)).Id] = disk;
        }

        Assert.Empty(await storage.AllAsync("packs/"));
        Assert.Empty(await storage.AllAsync("meta/"));
        var replica = new MemoryBackend();
        Assert.Empty((await VaultCopy.RunAsync(storage, replica, new(), null, None)).Problems);
        return (storage, replica, disks);
    }

    /// <summary>A vault with a relocation table in force, and a copy of it.</summary>
    private static async Task<(MemoryBackend Storage, MemoryBackend Replica, Dictionary<SnapshotId, SparseDisk> Disks)> MakeAsync()
    {
        var storage = new MemoryBackend();
        var disks = new Dictionary<SnapshotId, SparseDisk>();
        await using (var vault = await TestVault.CreateAsync(storage))
        {
            var disk = new SparseDisk(4 << 20);
            disk.Write(0, TestVault.Noise(9, 3 << 20));
            var first = await vault.BackUpAsync(disk);
            disk.Write(1 << 20, TestVault.Noise(10, 1_500_000));
            disks[(await vault.BackUpAsync(disk, first.Images[0].Image)).Id] = disk;
            await vault.DeleteSnapshotAsync(first.Id, None);
            await vault.CollectAsync([], TestVault.Compact, None);
            await BackUpAsync(vault, disks, 1);
            await BackUpAsync(vault, disks, 2);
        }

        var replica = new MemoryBackend();
        await VaultCopy.RunAsync(storage, replica, new(), null, None);
        return (storage, replica, disks);
    }

    /// <summary>A blob is there when it is looked at first, and then no more.</summary>
    private sealed class TakenAway(MemoryBackend inner, string gone) : PassThroughBackend(inner)
    {
        private int looks;

        public override ValueTask<long?> GetLengthAsync(string name, CancellationToken cancellationToken) =>
            name == gone && looks++ > 0 ? new((long?)null) : base.GetLengthAsync(name, cancellationToken);
    }
}
