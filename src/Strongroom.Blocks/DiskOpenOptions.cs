namespace Strongroom.Blocks;

/// <summary>How to open a disk image.</summary>
public sealed record DiskOpenOptions
{
    /// <summary>
    /// The format the file must have; null detects it. Detect only what no guest writes: the owner of a raw disk can make its first bytes look like a qcow2
    /// and its last like a VHD.
    /// </summary>
    public DiskFormat? Format { get; init; }

    /// <summary>
    /// Opens a backing file that a qcow2 names, or returns null to refuse it. Gets an absolute path that is not checked in any way; links in it are not resolved.
    /// The default refuses all.
    /// </summary>
    public Func<string, CancellationToken, ValueTask<DiskFile?>> OpenBackingFile { get; init; } = static (_, _) => new ValueTask<DiskFile?>((DiskFile?)null);

    /// <summary>Time that a helper program has to start and to open the image.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(20);

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
