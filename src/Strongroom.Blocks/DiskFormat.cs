namespace Strongroom.Blocks;

/// <summary>How a disk lies in its file.</summary>
public enum DiskFormat
{
    /// <summary>Byte for byte.</summary>
    Raw,

    /// <summary>QEMU copy-on-write, version 2 or 3.</summary>
    Qcow2,

    /// <summary>Virtual hard disk of fixed size.</summary>
    FixedVhd,

    /// <summary>Virtual hard disk that grows, or differs from another; recognised in order to be refused.</summary>
    DynamicVhd,
}
