using Strongroom.Store.Copies;
using Strongroom.Store.Simulation.Storage;

namespace Strongroom.Store.Simulation.World;

/// <summary>What a process may do next.</summary>
internal enum Act
{
    BackUp,
    Delete,
    Collect,
    Verify,
    Restore,
    Close,
    Undelete,
    Purge,
    Lock,
    ChangeKeys,
    Wait,
    Scrub,
    Copy,
}

/// <summary>A process that opens the vault and does what the seed says until its actions are used up; it dies and comes back.</summary>
internal sealed class SimulatedProcess(SimulatedWorld world, int number)
{
    private readonly Random random = world.Random;
    private readonly Governor governor = new(world);
    private VaultStore? vault;
    private Door? replica;

    public Door Door { get; private set; } = world.NewDoor($"p{number}");

    /// <summary>Lives through these actions.</summary>
    public async Task LiveAsync(IReadOnlyList<Act> acts)
    {
        foreach (var act in acts)
        {
            try
            {
                if (Door.IsDead)
                {
                    await CloseAsync();
                    Door = world.NewDoor($"p{number}");
                    replica = null;
                }

                vault ??= await VaultStore.OpenAsync(Door, SimulatedWorld.Key, world.Options, world.Clock, CancellationToken.None);
                await ActAsync(vault, act);
            }
            catch (StoreException failure)
            {
                world.Judge(failure, null, Door);
            }

            await Task.Delay(TimeSpan.FromSeconds(random.Next(1, 5)), world.Clock, CancellationToken.None);
        }

        await CloseAsync();
    }

    private async Task CloseAsync()
    {
        if (vault is not null)
            await vault.DisposeAsync();
        vault = null;
    }

    private async Task ActAsync(VaultStore open, Act act)
    {
        world.Rot();
        world.Record($"p{number} does {act}");
        switch (act)
        {
            case Act.BackUp:
                await BackUpAsync(open);
                break;
            case Act.Delete:
                await DeleteAsync(open);
                break;
            case Act.Collect:
                await open.CollectAsync(world.Ledger.Owed, ChooseOptions(), CancellationToken.None);
                break;
            case Act.Verify:
                await VerifyAsync(open);
                break;
            case Act.Restore:
                await RestoreAsync(open);
                break;
            case Act.Undelete:
                await governor.UndeleteAsync(open);
                break;
            case Act.Purge:
                await governor.PurgeAsync(open);
                break;
            case Act.Lock:
                await governor.LockAsync(open, Choose(open));
                break;
            case Act.ChangeKeys:
                await governor.ChangeKeysAsync(open);
                break;
            case Act.Scrub:
                await ScrubAsync(open);
                break;
            case Act.Copy:
                await CopyAsync(open);
                break;
            case Act.Wait:
                await Task.Delay(TimeSpan.FromDays(random.Next(1, 8)), world.Clock, CancellationToken.None);
                break;
            default:
                await CloseAsync();
                break;
        }
    }

    private CollectOptions ChooseOptions() => new()
    {
        Grace = TimeSpan.FromSeconds(random.Next(3) switch { 0 => 0, 1 => random.Next(10), _ => random.Next(60) }),
        CompactBelow = random.Next(2) == 0 ? 0.9 : 0.3,
        GreatestShareToCompact = 1,
    };

    private async Task BackUpAsync(VaultStore open)
    {
        await using var session = await open.OpenSessionAsync(CancellationToken.None);
        var count = random.Next(6) == 0 ? 2 : 1;
        var disks = new List<DiskModel>();
        var images = new List<SnapshotImage>();
        for (var lun = 0; lun < count; lun++)
        {
            var parent = ChooseParent(open);
            var disk = parent is { } known ? known.Disk.Change(random, 3) : DiskModel.Choose(random);
            var source = new ModelSource(disk, random.Next(3) == 0 ? null : parent?.Disk);
            disks.Add(disk);
            images.Add(new(lun, $"disk{lun}", await session.WriteImageAsync(source, parent?.Image, null, CancellationToken.None)));
            if (random.Next(4) == 0)
                await Task.Delay(TimeSpan.FromSeconds(random.Next(20)), world.Clock, CancellationToken.None);
        }

        var dumps = new List<DiskModel>();
        var streams = new List<SnapshotStream>();
        if (random.Next(3) == 0)
        {
            var parent = Choose(open) is { Streams: [var first, ..] } earlier ? (first.Stream, Model: world.Ledger.Find(earlier.Id)!.Streams[0]) : default((StreamRef Stream, DiskModel Model)?);
            dumps.Add(parent is { } known ? known.Model.Change(random, 2) : DiskModel.ChooseSmall(random));
            streams.Add(new("dump", await session.WriteStreamAsync(new ModelStream(dumps[0]), parent?.Stream, null, CancellationToken.None)));
        }

        if (random.Next(12) == 0)
            return;
        await CommitAsync(session, new SnapshotDraft { Id = new(world.NewGuid()), ItemId = "vm", Images = images, Streams = streams }, disks, dumps);
    }

    private async Task CommitAsync(StoreSession session, SnapshotDraft draft, List<DiskModel> disks, List<DiskModel> streams)
    {
        var promise = world.Ledger.Add(draft.Id, disks, streams);
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                promise.LogSequence = (await session.CommitAsync(draft, CancellationToken.None)).LogSequence;
                world.Record($"p{number} committed {promise.LogSequence}");
                return;
            }
            catch (StoreException failure) when (failure.Kind is StoreErrorKind.Io or StoreErrorKind.Full && attempt < 2 && !Door.IsDead)
            {
                world.Judge(failure, null, Door);
            }
            catch (StoreException failure) when (failure.Kind == StoreErrorKind.InvalidRequest && attempt > 0)
            {
                // More than the last step had failed: the backup must be run again.
                return;
            }
        }
    }

    /// <summary>An image of a live snapshot, with what it must hold; null for a backup without a parent.</summary>
    private (ImageRef Image, DiskModel Disk)? ChooseParent(VaultStore open)
    {
        if (random.Next(4) == 0 || Choose(open) is not { } snapshot)
            return null;
        var at = random.Next(snapshot.Images.Count);
        return (snapshot.Images[at].Image, world.Ledger.Find(snapshot.Id)!.Disks[at]);
    }

    private Snapshot? Choose(VaultStore open)
    {
        var all = open.Snapshots.OrderBy(snapshot => snapshot.LogSequence).ToList();
        if (all.Count == 0)
            return null;
        return all.TrueForAll(snapshot => world.Ledger.Find(snapshot.Id) is not null)
            ? all[random.Next(all.Count)]
            : throw new BrokenPromiseException("The vault holds a snapshot that nobody tried to commit.");
    }

    private async Task DeleteAsync(VaultStore open)
    {
        if (Choose(open) is not { } snapshot)
            return;
        var promise = world.Ledger.Find(snapshot.Id)!;
        await governor.DeleteAsync(open, promise);
    }

    private async Task VerifyAsync(VaultStore open)
    {
        var report = await open.VerifyAsync(random.Next(2) == 0, null, CancellationToken.None);

        foreach (var problem in report.Problems.Where(problem => problem.Snapshots.Any(id => world.Ledger.Find(id)!.IsOwed)))
            world.JudgeDamage($"Verification reports: {problem.What}");
    }

    private async Task ScrubAsync(VaultStore open)
    {
        var report = await open.ScrubAsync(new() { Deep = random.Next(2) == 0, MaxBytes = random.Next(2) == 0 ? 200_000 : null }, null, CancellationToken.None);
        foreach (var pack in report.Damaged)
            world.JudgeDamage($"A scrub reports: {pack.What}");
    }

    private async Task CopyAsync(VaultStore open)
    {
        var options = new CopyOptions { Parallelism = random.Next(1, 4), MayRemove = random.Next(2) == 0 ? open.IsSwept : null };
        var report = await VaultCopy.RunAsync(Door, replica ??= world.NewReplicaDoor(Door), options, null, CancellationToken.None);
        foreach (var problem in report.Problems)
            world.JudgeDamage($"A copy reports: {problem}");
    }

    private async Task RestoreAsync(VaultStore open)
    {
        if (Choose(open) is not { } snapshot)
            return;
        var promise = world.Ledger.Find(snapshot.Id)!;
        try
        {
            await world.RequireRestoresAsync(open, snapshot, promise);
        }
        catch (StoreException failure)
        {
            world.Judge(failure, promise, Door);
        }
    }
}
