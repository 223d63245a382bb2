using Strongroom.Blocks;
using Strongroom.Blocks.Qcow2;
using Strongroom.Blocks.Vhd;

namespace Strongroom.Workloads.VirtualMachines.Folder;

/// <summary>Which files are disks, and of which format.</summary>
internal static class DiskFiles
{
    private const int SectorSizeBytes = 512;

    private static readonly string[] Extensions = [".raw", ".img", ".qcow2", ".vhd"];

    /// <summary>By extension, without regard to case; hidden files are none.</summary>
    public static bool IsDisk(string fileName) =>
        !fileName.StartsWith('.') && Extensions.Contains(Path.GetExtension(fileName), StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// The format by the file's extension; by content only for <c>.img</c>, which is in use for both raw and qcow2. What a guest writes into its raw disk must not
    /// decide how the disk is read, so an <c>.img</c> is never taken for a VHD, and as qcow2 gets no backing file.
    /// </summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static DiskFormat FormatOf(DiskFile file) => Path.GetExtension(file.Path).ToUpperInvariant() switch
    {
        ".QCOW2" => DiskFormat.Qcow2,
        ".VHD" => DiskFormat.FixedVhd,
        ".IMG" when DiskImage.Detect(file.Handle) == DiskFormat.Qcow2 => DiskFormat.Qcow2,
        _ => DiskFormat.Raw,
    };

    public static bool MayHaveBackingFile(DiskFile file) => Path.GetExtension(file.Path).Equals(".qcow2", StringComparison.OrdinalIgnoreCase);

    /// <summary>The format's name on the wire and the size that the guest sees, in bytes.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or not what its name says.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static async Task<(string Format, long SizeBytes)> DescribeAsync(DiskFile file, CancellationToken cancellationToken)
    {
        switch (FormatOf(file))
        {
            case DiskFormat.Qcow2:
                return ("qcow2", RoundUp(Qcow2Header.Read(file.Handle).LengthBytes));
            case DiskFormat.FixedVhd:
                return ("vhd", (await FixedVhd.ReadFooterAsync(file, cancellationToken)).CurrentSizeBytes);
            default:
                return ("raw", RoundUp(RandomAccess.GetLength(file.Handle)));
        }
    }

    private static long RoundUp(long lengthBytes) => (lengthBytes + SectorSizeBytes - 1) / SectorSizeBytes * SectorSizeBytes;
}
