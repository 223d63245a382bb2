using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Blocks;
using Strongroom.Store;

namespace Strongroom.Backup.Pipelines.Restores;

/// <summary>Brings disks of a recovery point out of the vault; the store verifies every chunk on the way.</summary>
internal sealed class DiskTransfer(JobRun run, VaultStore store, ImmutableArray<RecoveryPointDisk> disks)
{
    private TimeSpan _took;
    private long _written;

    public ImmutableArray<RecoveryPointDisk> Disks { get; } = disks;

    private long TotalBytes => Disks.Sum(d => d.SizeBytes);

    /// <summary>Writes each disk into what <paramref name="create"/> makes for it, finished and durable on return.</summary>
    public async Task RunAsync(Func<RecoveryPointDisk, Task<IDiskWriter>> create, CancellationToken cancellationToken)
    {
        var startedAt = Stopwatch.GetTimestamp();
        var meter = new TransferMeter(run, RestoreTasks.Transfer, Math.Max(1, TotalBytes));
        long done = 0;
        foreach (var disk in Disks)
        {
            if (!ImageRef.TryParse(disk.Image, out var image)) throw new RestoreException(JobErrors.RestoreFailed($"The reference to disk '{disk.Name}' in the database is damaged."));
            var before = done;
            await using var writer = await create(disk);
            var statistics = await store.RestoreAsync(image, new DiskSink(writer), new DirectProgress<long>(bytes => meter.At(before + bytes)), cancellationToken);
            await writer.FinishAsync(cancellationToken);
            done += disk.SizeBytes;
            _written += statistics.BytesWritten;
            meter.At(done);
        }

        _took = Stopwatch.GetElapsedTime(startedAt);
    }

    /// <summary>The job at its end, with the bytes and the rate of the transfer.</summary>
    public Job End(Job job, DateTimeOffset now) => job with
    {
        State = JobStates.Completed,
        EndedAt = now,
        ProgressPercent = 100,
        EstimatedRemaining = TimeSpan.Zero,
        InternalProperties = job.InternalProperties
            .SetItem("strongroom.bytesRestored", Text(TotalBytes))
            .SetItem("strongroom.bytesWritten", Text(_written))
            .SetItem("strongroom.bytesPerSecond", Text((long)(TotalBytes / Math.Max(0.001, _took.TotalSeconds)))),
    };

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private sealed class DiskSink(IDiskWriter disk) : IImageSink
    {
        public ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken) => disk.WriteAsync(offsetBytes, data, cancellationToken);
    }
}
