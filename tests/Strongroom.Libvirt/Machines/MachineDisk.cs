namespace Strongroom.Libvirt.Machines;

/// <summary>What a machine's disk is kept in.</summary>
internal enum DiskKind
{
    /// <summary>A qcow2 file; changes can be tracked.</summary>
    Qcow2,

    /// <summary>A raw file.</summary>
    RawFile,

    /// <summary>A block device (a loop device over a file) with raw contents.</summary>
    RawBlock,

    /// <summary>A block device with qcow2 in it.</summary>
    Qcow2Block,
}

/// <summary>A disk of a machine.</summary>
/// <param name="Target">Its name in the guest and in libvirt: vda, vdb and so on.</param>
/// <param name="Path">The file or the block device.</param>
internal sealed record MachineDisk(string Target, string Path, DiskKind Kind)
{
    /// <summary>The format as QEMU and libvirt call it.</summary>
    public string Format => Kind is DiskKind.Qcow2 or DiskKind.Qcow2Block ? "qcow2" : "raw";

    public bool IsBlockDevice => Kind is DiskKind.RawBlock or DiskKind.Qcow2Block;
}
