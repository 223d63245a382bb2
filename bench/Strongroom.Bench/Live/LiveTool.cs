using Strongroom.Bench.Measuring;
using Strongroom.Bench.Peers;
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

/// <summary>A program that backs up a machine that runs. One object for each round.</summary>
internal abstract class LiveTool(LiveScene scene)
{
    protected LiveScene Scene => scene;

    public abstract string Name { get; }

    public virtual bool IsInstalled => Machine.IsOnPath(Name);

    /// <summary>Where the backup of a step lies: the first and the second in one place.</summary>
    public string RepositoryOf(LiveStep step) => Path.Combine(scene.Folder, step == LiveStep.Apart ? $"{Name}-apart" : Name);

    /// <summary>Whether QEMU reads the disk for it; otherwise it reads the disk's file.</summary>
    public abstract bool ReadsThroughQemu { get; }

    /// <summary>Makes both places; not measured.</summary>
    public abstract Task PrepareAsync(CancellationToken cancellationToken);

    /// <summary>Makes a backup.</summary>
    /// <returns>What the program took.</returns>
    public abstract Task<Usage> BackupAsync(LiveStep step, CancellationToken cancellationToken);
}
