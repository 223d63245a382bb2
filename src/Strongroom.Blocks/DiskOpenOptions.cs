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

    /// <summary>
    /// Name of a bitmap that QEMU keeps in a qcow2: what it does not mark is <see cref="BlockKind.Unchanged"/>. Null for none. One that is of no use is a
    /// <see cref="DirtyBitmapUnusableException"/>.
    /// </summary>
    public string? DirtyBitmap { get; init; }

    /// <summary>
    /// A qcow2 in files is read without keeping anybody from writing to it, so that its machine can be started. Whoever sets it asks
    /// <see cref="Qcow2.QemuNbdSource.RequireUnwritten"/> at the end.
    /// </summary>
    public bool IsShared { get; init; }

    /// <summary>Time that a helper program has to start and to open the image.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(20);

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
