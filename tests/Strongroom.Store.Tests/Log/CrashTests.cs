using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Log;

/// <summary>A process dies at every changing operation of a vault's life in turn; each time the vault must open and keep its word.</summary>
public sealed class CrashTests
{
    [Theory]
    [InlineData((int)Death.Before)]
    [InlineData((int)Death.After)]
    [InlineData((int)Death.Torn)]
    public async Task Whatever_was_acknowledged_survives_a_death_at_any_operation(int how)
    {
        var death = (Death)how;
        var diesAt = 0;
        var tornEntries = 0;
        while (true)
        {
            var story = new Story();
            var storage = new MemoryBackend();
            var backend = new DyingBackend(storage, diesAt, death);
            var isWhole = await story.LiveAsync(backend);
            if (isWhole)
            {
                Assert.False(backend.IsDead);
                break;
            }

            var isLogTorn = backend.TornName?.StartsWith("log/", StringComparison.Ordinal) ?? false;
            await story.AssertSurvivedAsync(storage, isLogTorn, $"death {death} at operation {diesAt}");
            tornEntries += isLogTorn ? 1 : 0;
            diesAt++;
        }

        Assert.InRange(diesAt, 25, 500);
        Assert.InRange(tornEntries, death == Death.Torn ? 8 : 0, death == Death.Torn ? 24 : 0);
    }

    /// <summary>Three backups, two deletions, two collections with compaction; it knows what it was promised.</summary>
    private sealed class Story
    {
        private readonly List<(SnapshotId Id, SparseDisk Disk)> promised = [];
        private readonly List<(SnapshotId Id, SparseDisk Disk)> attempted = [];
        private readonly HashSet<SnapshotId> deleted = [];
        private readonly HashSet<SnapshotId> deletionAttempted = [];

        public async Task<bool> LiveAsync(IBlobBackend backend)
        {
            try
            {
                await using var vault = await TestVault.CreateAsync(backend);
                var disk = new SparseDisk(70L << 20);
                disk.Write(3000, TestVault.Noise(1, 900_000));
                disk.Write(65L << 20, TestVault.Prose(2, 600_000));
                var first = await BackUpAsync(vault, disk, null);
                disk.Write(100_000, TestVault.Noise(3, 300_000));
                var second = await BackUpAsync(vault, disk, first.Images[0].Image);
                deletionAttempted.Add(first.Id);
                await vault.DeleteSnapshotAsync(first.Id, CancellationToken.None);
                deleted.Add(first.Id);
                Assert.True((await vault.CollectAsync([second.Id], TestVault.Compact, CancellationToken.None)).PacksCompacted > 0);
                disk.Write(66L << 20, TestVault.Noise(4, 300_000));
                var third = await BackUpAsync(vault, disk, second.Images[0].Image);
                deletionAttempted.Add(second.Id);
                await vault.DeleteSnapshotAsync(second.Id, CancellationToken.None);
                deleted.Add(second.Id);
                await vault.CollectAsync([third.Id], TestVault.Compact, CancellationToken.None);
                return true;
            }
            catch (StoreException failure) when (failure.Kind == StoreErrorKind.Io)
            {
                return false;
            }
        }

        public async Task AssertSurvivedAsync(IBlobBackend storage, bool isLogTorn, string when)
        {
            if (!await VaultStore.ExistsAsync(storage, CancellationToken.None))
            {
                Assert.Empty(promised);
                await (await TestVault.CreateAsync(storage)).DisposeAsync();
                return;
            }

            await using var vault = await TestVault.OpenAsync(storage);
            foreach (var (id, disk) in attempted)
            {
                var snapshot = vault.Find(id);
                if (snapshot is null)
                    Assert.True(deletionAttempted.Contains(id) || promised.TrueForAll(one => one.Id != id), $"{when}: a promised snapshot is gone");
                else
                    await vault.AssertRestoresAsync(snapshot.Images[0].Image, disk);
            }

            foreach (var id in deleted)
                Assert.Null(vault.Find(id));
            Assert.True(vault.Snapshots.All(snapshot => attempted.Exists(one => one.Id == snapshot.Id)));
            await AssertWorksAsync(vault, isLogTorn, when);
            foreach (var (id, disk) in attempted.Where(one => vault.Find(one.Id) is not null))
                await vault.AssertRestoresAsync(vault.Require(id).Images[0].Image, disk);
            if (isLogTorn)
                return;

            // What the dead left is gone: nothing but what is needed and what says where it is.
            Assert.Equal(0, (await CollectAsync(vault)).PacksDeleted);
            Assert.DoesNotContain(await storage.AllAsync("gc/"), blob => vault.Log.State.Collection.Tables.Keys.All(table => table.Name != blob.Name));
        }

        /// <summary>A torn log entry, which only a lying disk makes, costs collection; nothing else costs anything.</summary>
        private static async Task AssertWorksAsync(VaultStore vault, bool isLogTorn, string when)
        {
            var disk = new SparseDisk(70L << 20);
            disk.Write(3000, TestVault.Noise(1, 900_000));
            disk.Write(5L << 20, TestVault.Noise(9, 900_000));
            var snapshot = await vault.BackUpAsync(disk, vault.Snapshots.FirstOrDefault()?.Images[0].Image);
            if (isLogTorn)
                Assert.Equal(StoreErrorKind.Corrupt, (await Assert.ThrowsAsync<StoreException>(() => CollectAsync(vault))).Kind);
            else
                await CollectAsync(vault);
            await vault.AssertRestoresAsync(snapshot.Images[0].Image, disk);
            var report = await vault.VerifyAsync(readData: true, null, CancellationToken.None);
            var isLogAlone = report.Problems.All(problem => problem.Snapshots.Count == 0 && problem.What.StartsWith("log entry", StringComparison.Ordinal));
            Assert.True(isLogAlone && report.IsHealthy != isLogTorn, $"{when}: {string.Join('\n', report.Problems)}");
        }

        private static Task<CollectReport> CollectAsync(VaultStore vault) =>
            vault.CollectAsync([.. vault.Snapshots.Select(snapshot => snapshot.Id)], TestVault.Compact, CancellationToken.None);

        private async Task<Snapshot> BackUpAsync(VaultStore vault, SparseDisk disk, ImageRef? parent)
        {
            await using var session = await vault.OpenSessionAsync(CancellationToken.None);
            var image = await session.WriteImageAsync(disk, parent, null, CancellationToken.None);
            var draft = TestVault.Draft(image);
            attempted.Add((draft.Id, disk.Resize(disk.LengthBytes)));
            var snapshot = await session.CommitAsync(draft, CancellationToken.None);
            promised.Add((draft.Id, attempted[^1].Disk));
            return snapshot;
        }
    }
}
