namespace Strongroom.Store.Scrub;

/// <summary>How much a scrub does. Immutable.</summary>
public sealed record ScrubOptions
{
    /// <summary>Bytes of packs read a second, on average; null without a limit.</summary>
    public long? BudgetBytesPerSecond { get; init; }

    /// <summary>No further pack is begun once so many bytes were read; null: all that is due.</summary>
    public long? MaxBytes { get; init; }

    /// <summary>No further pack is begun after so long; null: all that is due.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>Also decrypts, decompresses and identifies every chunk; otherwise packs are compared with their digests, which finds rot.</summary>
    public bool Deep { get; init; }

    /// <summary>Packs that were verified within this time are left out; zero: none is.</summary>
    public TimeSpan OlderThan { get; init; }

    internal void Validate()
    {
        if (BudgetBytesPerSecond is <= 0 || MaxBytes is <= 0 || Duration < TimeSpan.Zero || OlderThan < TimeSpan.Zero)
            throw new StoreException(StoreErrorKind.InvalidRequest, "The limits of a scrub must be positive.");
    }
}

/// <summary>How far a scrub is.</summary>
/// <param name="PacksDone">Packs read.</param>
/// <param name="PacksDue">Packs that would be read without a limit.</param>
/// <param name="BytesRead">Bytes of them.</param>
/// <param name="BytesDue">Bytes of all that are due.</param>
public readonly record struct ScrubProgress(int PacksDone, int PacksDue, long BytesRead, long BytesDue);

/// <summary>A pack that is not what was written.</summary>
/// <param name="Pack">Its number, as in its name.</param>
/// <param name="What">What is wrong.</param>
public sealed record DamagedPack(uint Pack, string What);

/// <summary>What is known of a snapshot.</summary>
/// <param name="Id">The snapshot.</param>
/// <param name="IsDamaged">A pack that it needs is damaged or missing, or its manifest cannot be read.</param>
/// <param name="OldestVerification">When that of its packs was verified whose verification is oldest; null when one never was.</param>
public sealed record SnapshotHealth(SnapshotId Id, bool IsDamaged, DateTimeOffset? OldestVerification);

/// <summary>What a scrub did, and what is known of the vault after it.</summary>
/// <param name="PacksRead">Packs read by this run.</param>
/// <param name="BytesRead">Bytes of them.</param>
/// <param name="Packs">Packs in the vault.</param>
/// <param name="PacksVerified">Of those, packs that were found whole when they were last read, now or earlier.</param>
/// <param name="OldestVerification">When the pack was verified whose verification is oldest; null when one never was.</param>
/// <param name="Damaged">Every pack in quarantine.</param>
/// <param name="Released">Packs that were in quarantine and were found whole.</param>
/// <param name="Snapshots">Every live snapshot.</param>
/// <param name="LogDamage">What is wrong with the log, which every opening reads: entries that cannot be read, or break the vault's rules.</param>
public sealed record ScrubReport(
    int PacksRead,
    long BytesRead,
    int Packs,
    int PacksVerified,
    DateTimeOffset? OldestVerification,
    IReadOnlyList<DamagedPack> Damaged,
    int Released,
    IReadOnlyList<SnapshotHealth> Snapshots,
    IReadOnlyList<string> LogDamage)
{
    /// <summary>True when nothing is in quarantine, no snapshot is known to be damaged, and nothing is wrong with the log.</summary>
    public bool IsHealthy => Damaged.Count == 0 && LogDamage.Count == 0 && Snapshots.All(snapshot => !snapshot.IsDamaged);
}
