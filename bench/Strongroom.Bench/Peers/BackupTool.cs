using Strongroom.Bench.Measuring;

namespace Strongroom.Bench.Peers;

/// <summary>What is measured, in the order in which it is done.</summary>
internal enum Step
{
    FirstBackup,
    SecondBackupKnown,
    SecondBackup,
    Restore,
    Verify,
}

/// <summary>Where a round takes place.</summary>
/// <param name="Folder">The round's own; everything that a tool writes lies below.</param>
/// <param name="DiskFolder">Holds <see cref="DiskName"/>, the disk to back up: at the same path in both states, as it would be.</param>
/// <param name="ChangedPath">Lines <c>offset length</c> of what changed between the two.</param>
internal sealed record Round(string Folder, string DiskFolder, string ChangedPath)
{
    public const string DiskName = "disk.img";
}

/// <summary>A backup program. One object for each round.</summary>
internal abstract class BackupTool(Round round)
{
    protected Round Round => round;

    /// <summary>Where its repository lies.</summary>
    public abstract string RepositoryFolder { get; }

    /// <summary>Makes an empty repository; not measured.</summary>
    public abstract Task PrepareAsync(CancellationToken cancellationToken);

    /// <summary>The step's command and what it leaves, or null when the tool has no such step.</summary>
    public abstract Task<Usage?> RunAsync(Step step, CancellationToken cancellationToken);

    /// <summary>The disk that <see cref="Step.Restore"/> made.</summary>
    public abstract string RestoredPath { get; }
}
