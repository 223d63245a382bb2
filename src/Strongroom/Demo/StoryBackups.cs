using Strongroom.Client;

namespace Strongroom.Demo;

/// <summary>The steps of the story that move data: back up, restore, compare. Each adds what it measured.</summary>
internal sealed class StoryBackups(
    VaultClient vault, ArmClient arm, StoryConsole console, TimeProvider time, List<StepMeasure> measures)
{
    /// <summary>Where restored disks go.</summary>
    public sealed record RestoreTarget(string StorageAccountId, string Location, TimeSpan Limit);

    /// <summary>A restore that ended, and what its disks must be: in the order of the LUNs.</summary>
    public sealed record RestoredMachine(
        string Moment, JobOutcome Job, IReadOnlyList<(string Label, DiskFingerprint Expected)> Disks);

    /// <summary>Backs up one machine after the other, so that the speed shown is that of one job.</summary>
    /// <returns>What the jobs stored together; null when one of them does not say.</returns>
    public Task<long?> BackUpAsync(
        string name, string title, IReadOnlyList<ProtectedMachine> items, TimeSpan limit, CancellationToken cancellationToken) =>
        console.StepAsync(title, async progress =>
        {
            long? read = 0, stored = 0;
            foreach (var (item, bar) in items.Zip(progress.AddBars([.. items.Select(item => item.Name)])))
            {
                var started = time.GetTimestamp();
                var job = await vault.BackUpAsync(item, limit, bar.Report, cancellationToken);
                var measure = new StepMeasure(
                    $"{item.Name}, {name}",
                    job.Bytes(JobOutcome.BytesReadKey),
                    job.Bytes(JobOutcome.BytesChangedKey),
                    job.Bytes(JobOutcome.BytesNewKey),
                    job.Bytes(JobOutcome.BytesStoredKey),
                    job.Elapsed ?? time.GetElapsedTime(started));
                measures.Add(measure);
                read += measure.BytesRead;
                stored += measure.BytesStored;
            }

            return (stored, read is null || stored is null ? "done" : $"{read / 1e6:0.0} MB read, {stored / 1e6:0.0} MB stored");
        });

    /// <summary>The one new recovery point of each machine, in the order of the machines.</summary>
    /// <param name="items">The machines.</param>
    /// <param name="known">The point that each machine had before; empty before the first backup.</param>
    /// <param name="cancellationToken">Ends the requests.</param>
    public Task<IReadOnlyList<string>> FindPointsAsync(
        IReadOnlyList<ProtectedMachine> items, IReadOnlyList<string> known, CancellationToken cancellationToken) =>
        console.StepAsync<IReadOnlyList<string>>("List the recovery points", async _ =>
        {
            var points = new List<string>();
            for (var i = 0; i < items.Count; i++)
            {
                var all = await vault.ListRecoveryPointsAsync(items[i], cancellationToken);
                var fresh = known.Count == 0 ? all : [.. all.Where(point => point != known[i])];
                if (fresh.Count != 1)
                    throw new DemoException($"The backup of {items[i].Name} made {fresh.Count} recovery points instead of one.");
                points.Add(fresh[0]);
            }

            return (points, $"new: {string.Join(", ", points)}");
        });

    public Task<IReadOnlyList<RestoredMachine>> RestoreAsync(
        string moment,
        IReadOnlyList<ProtectedMachine> items,
        IReadOnlyList<string> points,
        IReadOnlyList<DemoMachine> machines,
        IReadOnlyDictionary<string, DiskFingerprint> disks,
        RestoreTarget target,
        CancellationToken cancellationToken) =>
        console.StepAsync<IReadOnlyList<RestoredMachine>>($"Restore the disks of the {moment} point", async progress =>
        {
            var restored = new List<RestoredMachine>();
            var bars = progress.AddBars([.. items.Select(item => item.Name)]);
            for (var i = 0; i < items.Count; i++)
            {
                var started = time.GetTimestamp();
                var job = await vault.RestoreDisksAsync(
                    items[i], points[i], target.StorageAccountId, target.Location, target.Limit, bars[i].Report, cancellationToken);
                var expected = machines[i].DiskFiles.Select(file => (Story.DiskLabel(file), disks[file])).ToList();
                restored.Add(new RestoredMachine($"{moment} point", job, expected));
                measures.Add(new StepMeasure(
                    $"{items[i].Name}, {moment} restore",
                    job.Bytes(JobOutcome.BytesWrittenKey) ?? expected.Sum(disk => disk.Item2.DataBytes),
                    null,
                    null,
                    null,
                    job.Elapsed ?? time.GetElapsedTime(started)));
            }

            return (restored, $"{restored.Sum(machine => machine.Disks.Count)} disks in the storage account");
        });

    /// <summary>Downloads every restored disk and compares it with what it was; looks at all, whatever differs.</summary>
    public Task<IReadOnlyList<DiskDifference>> CompareAsync(IReadOnlyList<RestoredMachine> restores, CancellationToken cancellationToken) =>
        console.StepAsync<IReadOnlyList<DiskDifference>>("Download and compare SHA-256", async progress =>
        {
            var reader = new RestoredDisks(arm, time);
            var differences = new List<DiskDifference>();
            var (started, bytes) = (time.GetTimestamp(), 0L);
            var labels = restores.SelectMany(restore => restore.Disks, (restore, disk) => $"{disk.Label}, {restore.Moment}");
            var bars = new Queue<IStepBar>(progress.AddBars([.. labels]));
            foreach (var restore in restores)
            {
                var uris = await reader.ListAsync(restore.Job, cancellationToken);
                if (uris.Count != restore.Disks.Count)
                    throw new DemoException($"The restore of {restore.Disks[0].Label} left {uris.Count} disks instead of {restore.Disks.Count}.");
                foreach (var (uri, (label, expected)) in uris.Zip(restore.Disks))
                {
                    if (await reader.CompareAsync(uri, expected, bars.Dequeue().Report, cancellationToken) is { } difference)
                        differences.Add(new DiskDifference(label, restore.Moment, difference));
                    bytes += expected.LengthBytes;
                }
            }

            measures.Add(new StepMeasure("Download and compare", bytes, null, null, null, time.GetElapsedTime(started)));
            var words = differences.Count == 0 ? "all equal" : $"{differences.Count} differ";
            return (differences, $"{bytes / 1e6:0} MB, {words}");
        });
}
