using System.Globalization;
using Strongroom.Store.Simulation.World;

namespace Strongroom.Store.Simulation.PowerCut;

/// <summary>What <see cref="Workload"/> was promised, read from its output.</summary>
internal sealed class PromiseBook
{
    private readonly Dictionary<SnapshotId, DiskModel> committed = [];
    private readonly HashSet<SnapshotId> deleted = [];

    public int Commits => committed.Count;

    public void Add(SnapshotId id, DiskModel disk) => committed[id] = disk;

    public void Delete(SnapshotId id) => deleted.Add(id);

    /// <summary>Takes a line; one that is torn was not promised.</summary>
    public void Read(string line)
    {
        switch (line.Split(' '))
        {
            case ["commit", { Length: 36 } id, var number]:
                Add(new(Guid.Parse(id, CultureInfo.InvariantCulture)), Workload.Disk(int.Parse(number, CultureInfo.InvariantCulture)));
                break;
            case ["delete", { Length: 36 } id]:
                Delete(new(Guid.Parse(id, CultureInfo.InvariantCulture)));
                break;
        }
    }

    /// <summary>Opens what is there and fails unless every promise is kept, the vault is sound, and it works on.</summary>
    public async Task CheckAsync(IBlobBackend backend, bool isThorough)
    {
        if (!await VaultStore.ExistsAsync(backend, CancellationToken.None))
        {
            if (committed.Count > 0)
                throw new BrokenPromiseException("The vault is gone.");
            return;
        }

        await using var vault = await VaultStore.OpenAsync(backend, SimulatedWorld.Key, new() { Workers = 1 }, TimeProvider.System, CancellationToken.None);
        foreach (var (id, disk) in committed.Where(promise => !deleted.Contains(promise.Key)))
            await RequireRestoresAsync(vault, vault.Find(id) ?? throw new BrokenPromiseException($"Snapshot {id} is lost."), disk);
        if (!isThorough)
            return;
        var report = await vault.VerifyAsync(readData: true, null, CancellationToken.None);
        if (!report.IsHealthy)
            throw new BrokenPromiseException($"Verification reports: {string.Join('\n', report.Problems)}");
        await using (var session = await vault.OpenSessionAsync(CancellationToken.None))
        {
            var image = await session.WriteImageAsync(new ModelSource(Workload.Disk(99), null), null, null, CancellationToken.None);
            await session.CommitAsync(new() { Id = new(Guid.NewGuid()), ItemId = "vm", Images = [new(0, "disk", image)] }, CancellationToken.None);
        }

        await vault.CollectAsync([.. vault.Snapshots.Select(snapshot => snapshot.Id)], new() { Grace = TimeSpan.Zero, GreatestShareToCompact = 1 }, CancellationToken.None);
        foreach (var (id, disk) in committed.Where(promise => vault.Find(promise.Key) is not null))
            await RequireRestoresAsync(vault, vault.Find(id)!, disk);
    }

    /// <summary>A copy that was broken off is no vault yet, or one of which every snapshot restores. What is opened here is a copy of it, for opening may write.</summary>
    public async Task CheckCopyAsync(string folder)
    {
        var backend = new MemoryBackend();
        foreach (var path in Directory.Exists(folder) ? Directory.GetFiles(folder, "*", SearchOption.AllDirectories) : [])
        {
            var content = await File.ReadAllBytesAsync(path);
            await backend.PutIfAbsentAsync(Path.GetRelativePath(folder, path), content, CancellationToken.None);
        }

        if (!await VaultStore.ExistsAsync(backend, CancellationToken.None))
            return;
        await using var vault = await VaultStore.OpenAsync(backend, SimulatedWorld.Key, new() { Workers = 1 }, TimeProvider.System, CancellationToken.None);
        foreach (var (id, disk) in committed.Where(promise => vault.Find(promise.Key) is not null))
            await RequireRestoresAsync(vault, vault.Find(id)!, disk);
    }

    private static async Task RequireRestoresAsync(VaultStore vault, Snapshot snapshot, DiskModel disk)
    {
        var sink = new ModelSink(disk);
        await vault.RestoreAsync(snapshot.Images[0].Image, sink, null, CancellationToken.None);
        if (sink.FaultOfWhole() is { } fault)
            throw new BrokenPromiseException($"Snapshot {snapshot.Id} restores to other bytes: {fault}.");
    }
}
