using System.Collections.Immutable;
using Strongroom.Store.Keys;
using Strongroom.Store.Simulation.Scheduling;
using Strongroom.Store.Simulation.Storage;

namespace Strongroom.Store.Simulation.World;

/// <summary>One run on one seed: several processes over one faulty storage, then everything is looked at with faults off.</summary>
internal sealed class SimulatedWorld
{
    private const long GreatestSteps = 5_000_000;
    private const int ActsOfProcess = 8;
    private readonly FaultPlan plan;
    private readonly SimulationScheduler scheduler;
    private readonly List<Door> doors = [];
    private bool wasDamaged;

    private SimulatedWorld(long seed, FaultPlan? plan, Action<string>? log)
    {
        Random = new(unchecked((int)(seed ^ (seed >> 32))));
        this.plan = plan ?? FaultPlan.Choose(Random);
        HasSoftDelete = Random.Next(3) == 0;
        scheduler = new(Random, Clock, GreatestSteps, log);
        Options = new()
        {
            PackSizeBytes = Random.Next(2) == 0 ? 64 << 10 : 512 << 10,
            Workers = Random.Next(1, 4),
            VerifyEvery = Random.Next(1, 5),
            CachedNodes = 16,
            ReadCache = new(ReadCache.LeastBytes),
            IndexBufferRecords = 16,
        };
    }

    public static MasterKeyFile Key { get; } = new([.. Enumerable.Range(1, 32).Select(i => (byte)i)]);

    /// <summary>A second key, which opens the vault at times.</summary>
    public static MasterKeyFile OtherKey { get; } = new([.. Enumerable.Range(2, 32).Select(i => (byte)i)]);

    /// <summary>A third, which takes the second's place and gives it back.</summary>
    public static MasterKeyFile ThirdKey { get; } = new([.. Enumerable.Range(3, 32).Select(i => (byte)i)]);

    public Random Random { get; }

    /// <summary>Whether deleted snapshots can be brought back for a while.</summary>
    public bool HasSoftDelete { get; }

    public SimulatedClock Clock { get; } = new();

    /// <summary>Whether anybody may have seen damage that is not there.</summary>

    public Ledger Ledger { get; } = new();

    public SimulatedStorage Storage { get; } = new();

    /// <summary>Where the vault is copied to. Nothing else is written there, and nothing rots.</summary>
    public SimulatedStorage Replica { get; } = new();

    public VaultStoreOptions Options { get; }

    /// <summary>Plays a seed to its end.</summary>
    /// <exception cref="BrokenPromiseException">The store broke its word.</exception>
    /// <param name="seed">Decides everything.</param>
    /// <param name="processes">How many work side by side.</param>
    /// <param name="acts">What each does; null leaves it to the seed.</param>
    /// <param name="plan">What goes wrong; null leaves it to the seed.</param>
    /// <param name="log">Is told what happens.</param>
    public static RunReport Run(long seed, int processes, IReadOnlyList<Act>? acts, FaultPlan? plan, Action<string>? log)
    {
        var world = new SimulatedWorld(seed, plan, log);
        world.scheduler.Run(() => world.PlayAsync(processes, acts));
        return new(world.scheduler.Steps, world.plan.Calls, world.scheduler.Trace, world.Ledger.All.Count(promise => promise.LogSequence is not null));
    }

    public void Record(string what) => scheduler.Record(what);

    public Door NewDoor(string name)
    {
        var door = new Door(Storage, plan, scheduler, Clock, Random, name);
        foreach (var other in doors.Where(other => !other.IsDead))
        {
            other.PowerTogetherWith([door]);
            door.PowerTogetherWith([other]);
        }

        doors.Add(door);
        return door;
    }

    /// <summary>A process's way to the replica; the power there is another one.</summary>
    public Door NewReplicaDoor(Door process)
    {
        var door = new Door(Replica, plan, scheduler, Clock, Random, "replica");
        door.Join(process);
        return door;
    }

    /// <summary>A way to any storage on which nothing goes wrong.</summary>
    public Door NewQuietDoor(SimulatedStorage storage) => new(storage, FaultPlan.None(), scheduler, Clock, Random, "quiet");

    /// <summary>A way to the vault for one that works on it alone, and dies of it now and then.</summary>
    public Door NewDyingDoor() => new(Storage, FaultPlan.Deadly(), scheduler, Clock, Random, "dying");

    public Guid NewGuid()
    {
        Span<byte> bytes = stackalloc byte[16];
        Random.NextBytes(bytes);
        return new(bytes);
    }

    /// <summary>Now and then a stored bit flips, if the seed has it so.</summary>
    public void Rot()
    {
        if (plan.IsQuiet || Random.NextDouble() >= plan.Rot)
            return;

        // Not of vault.json and keys/: a vault without them does not open, and other tests say so.
        var names = Storage.Names.Where(name => !name.StartsWith("keys/", StringComparison.Ordinal) && name != "vault.json").ToList();
        if (names.Count == 0)
            return;
        var name = names[Random.Next(names.Count)];
        Storage.Damage(name, Random);
        wasDamaged = true;
        scheduler.Record($"damage {SimulatedStorage.StableName(name)}");
    }

    /// <summary>Fails unless the store had a reason for this failure.</summary>
    public void Judge(StoreException failure, Promise? concerned, Door door)
    {
        scheduler.Record($"failure {failure.Kind}");
        switch (failure.Kind)
        {
            case StoreErrorKind.Io or StoreErrorKind.Full when !plan.IsQuiet && (door.FaultsOfProcess > 0 || door.IsDead):
            case StoreErrorKind.Conflict:
            case StoreErrorKind.NotFound or StoreErrorKind.Corrupt when concerned is { IsDeletionTried: true }:
            case StoreErrorKind.NotFound when concerned is null && Ledger.All.Any(promise => promise.IsDeletionTried):
                break;
            default:
                JudgeDamage(failure.ToString());
                break;
        }
    }

    /// <summary>Damage may be reported only where something damaged the storage or what was read of it.</summary>
    public void JudgeDamage(string what)
    {
        if (!wasDamaged && !plan.HasWrongReads)
            throw new BrokenPromiseException($"Damage without a cause: {what}");
    }

    /// <exception cref="StoreException">It does not restore, and the store says so.</exception>
    public async Task RequireRestoresAsync(VaultStore vault, Snapshot snapshot, Promise promise)
    {
        if (snapshot.Images.Count != promise.Disks.Count)
            throw new BrokenPromiseException($"Snapshot {snapshot.Id} has {snapshot.Images.Count} images instead of {promise.Disks.Count}.");
        for (var i = 0; i < promise.Disks.Count; i++)
        {
            var sink = new ModelSink(promise.Disks[i]);
            await vault.RestoreAsync(snapshot.Images[i].Image, sink, null, CancellationToken.None);
            if (sink.FaultOfWhole() is { } fault || snapshot.Images[i].Image.LengthBytes != promise.Disks[i].LengthBytes)
                throw new BrokenPromiseException($"Snapshot {snapshot.Id} restores to other bytes: {sink.FaultOfWhole()}.");
        }

        if (snapshot.Streams.Count != promise.Streams.Count)
            throw new BrokenPromiseException($"Snapshot {snapshot.Id} has {snapshot.Streams.Count} streams instead of {promise.Streams.Count}.");
        for (var i = 0; i < promise.Streams.Count; i++)
        {
            await using var target = new ModelStream(promise.Streams[i]);
            await vault.RestoreStreamAsync(snapshot.Streams[i].Stream, target, null, CancellationToken.None);
            if (target.Fault is not null || target.Position != target.Length)
                throw new BrokenPromiseException($"A stream of snapshot {snapshot.Id} restores to {target.Position} of {target.Length} bytes: {target.Fault}.");
        }
    }

    private IReadOnlyList<Act> ChooseActs() =>
    [
        .. Enumerable.Range(0, ActsOfProcess).Select(_ => Random.Next(28) switch
        {
            < 9 => Act.BackUp,
            < 12 => Act.Delete,
            < 15 => Act.Collect,
            < 16 => Act.Verify,
            < 19 => Act.Restore,
            < 20 => Act.Close,
            < 21 => Act.ChangeKeys,
            < 22 => Act.Lock,
            < 23 => HasSoftDelete ? Act.Undelete : Act.BackUp,
            < 24 => HasSoftDelete ? Act.Purge : Act.Delete,
            < 25 => HasSoftDelete ? Act.Wait : Act.Restore,
            < 26 => Act.Scrub,
            _ => Act.Copy,
        }),
    ];

    private async Task PlayAsync(int processes, IReadOnlyList<Act>? acts)
    {
        await CreateVaultAsync();
        var actors = Enumerable.Range(0, processes).Select(number => new SimulatedProcess(this, number)).ToList();
        await Task.WhenAll(actors.Select(actor => actor.LiveAsync(acts ?? ChooseActs())));
        if (Random.Next(3) == 0)
            Storage.CutPower(Random);
        plan.IsQuiet = true;
        await new Aftermath(this).CheckAsync();
    }

    /// <summary>Fixed keys: chunk ids, and with them every choice that the index makes, are the same in each run of a seed.</summary>
    private async Task CreateVaultAsync()
    {
        var quiet = NewQuietDoor(Storage);
        byte[] Bytes(int seed)
        {
            var bytes = new byte[32];
            new Random(seed).NextBytes(bytes);
            return bytes;
        }

        var ring = new KeyRing(NewGuid(), Bytes(1), Bytes(2), Bytes(3), Bytes(4), ImmutableSortedDictionary<uint, byte[]>.Empty.Add(1, Bytes(5)));
        await VaultKeys.CreateAsync(quiet, ring, Key, CancellationToken.None);
        await VaultBirth.TryWriteAsync(quiet, ring.VaultId, Clock.GetUtcNow(), CancellationToken.None);
        if (!HasSoftDelete)
            return;
        await using var vault = await VaultStore.OpenAsync(quiet, Key, Options, Clock, CancellationToken.None);
        await vault.Governance.SetPolicyAsync(new() { SoftDeleteDays = Governor.SoftDeleteDays, IsSoftDeleteAlwaysOn = true }, CancellationToken.None);
    }
}

/// <summary>What a run was made of.</summary>
internal sealed record RunReport(long Steps, long Calls, ulong Trace, int Commits);
