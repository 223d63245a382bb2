using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Collection;

/// <summary>A process that cannot read what another one has swept must not build upon it.</summary>
public sealed class MisreadSweepTests
{
    private readonly MisreadingBackend misreading = new();
    private readonly SparseDisk disk = new(4 << 20);

    public MisreadSweepTests() => disk.Write(0, TestVault.Noise(1, 3 << 20));

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task An_entry_that_is_misread_once_is_read_again_and_nothing_is_called_damaged()
    {
        await using var vault = await TestVault.CreateAsync(misreading);
        await SweepBehindAsync(vault, await vault.BackUpAsync(disk), misreads: 1, async () =>
        {
            await vault.Log.RefreshAsync(None);
            Assert.Empty(vault.Log.Damage);
        });
        await AssertBackUpLastsAsync(vault);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(int.MaxValue)]
    public async Task A_session_that_relies_on_what_an_unreadable_sweep_took_does_not_commit(int misreads)
    {
        await using var vault = await TestVault.CreateAsync(misreading);
        var first = await vault.BackUpAsync(disk);
        await using var session = await vault.OpenSessionAsync(None);
        var image = await session.WriteImageAsync(disk, null, null, None);
        Assert.True(session.Statistics.BytesDeduplicated > 0);
        await SweepBehindAsync(vault, first, misreads, async () =>
        {
            var failure = await Assert.ThrowsAsync<StoreException>(() => session.CommitAsync(TestVault.Draft(image), None));
            Assert.Equal(StoreErrorKind.Conflict, failure.Kind);
        });
        await AssertBackUpLastsAsync(vault);
    }

    [Fact]
    public async Task What_an_unreadable_sweep_may_have_taken_is_stored_anew_though_it_is_still_there()
    {
        await using var vault = await TestVault.CreateAsync(misreading);
        var first = await vault.BackUpAsync(disk);
        var slow = new UndeletingBackend(misreading.Inner);
        await SweepBehindAsync(vault, first, int.MaxValue, async () => await AssertBackUpLastsAsync(vault, async () =>
        {
            foreach (var name in slow.Kept)
                Assert.True(await misreading.Inner.DeleteAsync(name, None));
        }), slow);
        Assert.NotEmpty(slow.Kept);
    }

    /// <summary>Another process deletes the snapshot and sweeps what it held; then <paramref name="vault"/> misreads what that wrote.</summary>
    private async Task SweepBehindAsync(VaultStore vault, Snapshot gone, int misreads, Func<Task> meanwhile, IBlobBackend? other = null)
    {
        await using (var two = await TestVault.OpenAsync(other ?? misreading.Inner))
        {
            await two.DeleteSnapshotAsync(gone.Id, None);
            Assert.True((await two.CollectAsync([], TestVault.AtOnce, None)).PacksDeleted > 0);
        }

        (misreading.After, misreading.Misreads) = (vault.Log.Head, misreads);
        await meanwhile();
    }

    /// <summary>A backup of the process restores in another one that reads everything.</summary>
    private async Task AssertBackUpLastsAsync(VaultStore vault, Func<Task>? between = null)
    {
        var snapshot = await vault.BackUpAsync(disk);
        if (between is not null)
            await between();
        await using var reader = await TestVault.OpenAsync(misreading.Inner);
        await reader.AssertRestoresAsync(reader.Require(snapshot.Id).Images[0].Image, disk);
        Assert.True((await reader.VerifyAsync(readData: true, null, None)).IsHealthy);
        await reader.CollectAsync([snapshot.Id], TestVault.AtOnce, None);
        await reader.AssertRestoresAsync(snapshot.Images[0].Image, disk);
    }

    /// <summary>Says that it has deleted, and has not yet.</summary>
    private sealed class UndeletingBackend(IBlobBackend inner) : PassThroughBackend(inner)
    {
        private readonly List<string> kept = [];

        public IReadOnlyList<string> Kept => kept;

        public override ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken)
        {
            kept.Add(name);
            return new(true);
        }
    }
}
