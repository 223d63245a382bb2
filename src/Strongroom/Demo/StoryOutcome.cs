namespace Strongroom.Demo;

/// <summary>What one step moved and how long it took; null where the server does not report it.</summary>
/// <param name="Step">What people call it.</param>
/// <param name="BytesRead">Bytes read from the source of the step.</param>
/// <param name="BytesChanged">Of these, bytes that the previous recovery point did not hold at the same place.</param>
/// <param name="BytesNew">Of these, bytes that the store did not hold anywhere.</param>
/// <param name="BytesStored">What these became on disk, compressed and encrypted.</param>
/// <param name="Elapsed">The server's own time for the job where it reports one, else the client's.</param>
internal sealed record StepMeasure(
    string Step, long? BytesRead, long? BytesChanged, long? BytesNew, long? BytesStored, TimeSpan Elapsed)
{
    /// <summary>How many times smaller deduplication made what changed; null when unknown or when nothing was new.</summary>
    public double? DeduplicationRatio => Ratio(BytesChanged, BytesNew);

    /// <summary>How many times smaller compression made what was new; null when unknown or when nothing was stored.</summary>
    public double? CompressionRatio => Ratio(BytesNew, BytesStored);

    /// <summary>Null when the bytes are unknown or the time is too short to divide by.</summary>
    public double? BytesPerSecond => BytesRead is { } read && Elapsed > TimeSpan.Zero ? read / Elapsed.TotalSeconds : null;

    private static double? Ratio(long? before, long? after) => before is > 0 && after is > 0 ? (double)before / after : null;
}

/// <summary>A disk that did not come back as it was.</summary>
/// <param name="Disk">Machine and disk.</param>
/// <param name="Moment">Which recovery point.</param>
/// <param name="Difference">What differs.</param>
internal sealed record DiskDifference(string Disk, string Moment, string Difference);

/// <summary>How the story ended.</summary>
/// <param name="Measures">The steps that moved data, in order.</param>
/// <param name="MachineCount">Machines protected.</param>
/// <param name="DisksCompared">Restored disks compared with what they had been.</param>
/// <param name="BytesChangedBetween">What the demo changed on all disks between the two backups.</param>
/// <param name="BytesStoredForChange">What the second backup stored for all machines; null when the server does not say.</param>
/// <param name="Differences">Empty when everything came back as it was.</param>
internal sealed record StoryOutcome(
    IReadOnlyList<StepMeasure> Measures,
    int MachineCount,
    int DisksCompared,
    long BytesChangedBetween,
    long? BytesStoredForChange,
    IReadOnlyList<DiskDifference> Differences);
