using Strongroom.Blocks.Raw;

namespace Strongroom.Blocks.Vhd;

/// <summary>Fixed VHD: the disk's bytes, then the footer.</summary>
public static class FixedVhd
{
    /// <summary>Opens the disk inside a fixed VHD. Owns <paramref name="file"/> when it succeeds.</summary>
    /// <exception cref="InvalidDataException">Not a VHD, damaged, truncated, or dynamic or differencing.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static async Task<IBlockSource> OpenAsync(DiskFile file, CancellationToken cancellationToken)
    {
        var footer = await ReadFooterAsync(file, cancellationToken).ConfigureAwait(false);
        switch (footer.DiskType)
        {
            case VhdDiskType.Fixed:
                break;
            case VhdDiskType.Dynamic or VhdDiskType.Differencing:
                var kind = footer.DiskType == VhdDiskType.Dynamic ? "dynamic" : "differencing";
                throw new InvalidDataException(
                    $"'{file.Path}' is a {kind} VHD; only fixed VHDs are read. Convert it: qemu-img convert -f vpc -O vpc -o subformat=fixed,force_size OLD NEW");
            default:
                throw new InvalidDataException($"'{file.Path}' is a VHD of unknown type {(uint)footer.DiskType}; only fixed VHDs are read.");
        }

        var room = RandomAccess.GetLength(file.Handle) - VhdFooter.LengthBytes;
        if (footer.CurrentSizeBytes > room)
            throw new InvalidDataException($"'{file.Path}' is truncated: its footer promises {footer.CurrentSizeBytes} bytes and {room} are there.");
        return new RawBlockSource(file, footer.CurrentSizeBytes);
    }

    /// <summary>Reads and checks the footer at the end of the file.</summary>
    /// <exception cref="InvalidDataException">There is none, or it is damaged.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static async Task<VhdFooter> ReadFooterAsync(DiskFile file, CancellationToken cancellationToken)
    {
        var offset = RandomAccess.GetLength(file.Handle) - VhdFooter.LengthBytes;
        if (offset < 0)
            throw new InvalidDataException($"'{file.Path}' is too short for a VHD.");
        var bytes = new byte[VhdFooter.LengthBytes];
        var count = await RandomAccess.ReadAsync(file.Handle, bytes, offset, cancellationToken).ConfigureAwait(false);
        try
        {
            return VhdFooter.Parse(bytes.AsSpan(0, count));
        }
        catch (InvalidDataException exception)
        {
            throw new InvalidDataException($"'{file.Path}': {exception.Message}", exception);
        }
    }
}
