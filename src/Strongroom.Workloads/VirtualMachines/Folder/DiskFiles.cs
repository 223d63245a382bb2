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

    /// <summary>The file name of a disk that is made: what a host's disk may be called, with the extension of its format.</summary>
    /// <param name="name">The disk's name; anything that does not belong into a file name is replaced.</param>
    /// <param name="format"><c>raw</c>, <c>qcow2</c> or <c>vhd</c>.</param>
    public static string NameOf(string name, string format)
    {
        var safe = string.Concat(name.Select(letter => char.IsLetterOrDigit(letter) || letter is '.' or '-' or '_' or ' ' ? letter : '-')).Trim().TrimStart('.');
        if (safe.Length == 0)
            safe = "disk";
        var extension = format is "qcow2" or "vhd" ? "." + format : ".raw";
        return Path.GetExtension(safe).Equals(extension, StringComparison.OrdinalIgnoreCase) ? safe : safe + extension;
    }

    /// <summary>The format in which a disk is written so that it is read as what it is: by the file's extension, as in <see cref="FormatOf"/>.</summary>
    /// <param name="fileName">The disk's file.</param>
    /// <param name="format">What the file was found to be, for the extension that does not tell.</param>
    public static DiskFormat FormatToWrite(string fileName, string format) => Path.GetExtension(fileName).ToUpperInvariant() switch
    {
        ".QCOW2" => DiskFormat.Qcow2,
        ".VHD" => DiskFormat.FixedVhd,
        ".IMG" when format == "qcow2" => DiskFormat.Qcow2,
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
