namespace Strongroom.Blocks.Iscsi;

/// <summary>A disk that a target shows.</summary>
/// <param name="Number">The logical unit's number.</param>
/// <param name="Disk">What is read; never written. The caller's: it is used until the target is removed.</param>
/// <param name="Serial">The unit's serial number, other than that of every other disk: 8 to 64 printable ASCII characters.</param>
public sealed record IscsiLun(byte Number, IBlockSource Disk, string Serial)
{
    /// <summary>Refuses writes. Otherwise they go to an overlay that is thrown away.</summary>
    public bool IsReadOnly { get; init; }
}
