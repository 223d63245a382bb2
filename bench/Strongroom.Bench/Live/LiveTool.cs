using Strongroom.Libvirt.Machines;

namespace Strongroom.Bench.Live;

/// <summary>A machine that runs, and the one disk of it that is backed up.</summary>
/// <param name="Disk">The disk; its contents are no file system, and only what is measured writes to it.</param>
/// <param name="Folder">The round's own; a tool keeps all that it writes below it.</param>
internal sealed record LiveScene(LiveMachine Machine, MachineDisk Disk, string Folder);

/// <summary>Which backup.</summary>
internal enum LiveStep
{
    /// <summary>All of the disk.</summary>
    First,

    /// <summary>What changed since.</summary>
    Second,

    /// <summary>All of the disk again, apart from the others, while the guest writes.</summary>
    Apart,
}

/// <summary>A program that may be there.</summary>
internal sealed record LiveToolKind(string Name, bool IsInstalled, Func<LiveScene, LiveTool> Create);

/// <summary>A program that backs up a machine that runs. One object for each round.</summary>
internal abstract class LiveTool(LiveScene scene) : IAsyncDisposable
{
    public LiveScene Scene => scene;

    public abstract string Name { get; }

    /// <summary>Where the backup of a step lies: the first and the second in one place.</summary>
    public virtual string RepositoryOf(LiveStep step) => Path.Combine(scene.Folder, step == LiveStep.Apart ? $"{Name}-apart" : Name);

    /// <summary>Whether QEMU reads the disk for it; otherwise it reads the disk's file.</summary>
    public abstract bool ReadsThroughQemu { get; }

    /// <summary>Makes both places; not measured.</summary>
    public abstract Task PrepareAsync(CancellationToken cancellationToken);

    /// <summary>Makes a backup.</summary>
    /// <returns>What the program took.</returns>
    public abstract Task<LiveUsage> BackupAsync(LiveStep step, CancellationToken cancellationToken);

    /// <summary>Ends what it left running.</summary>
    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
