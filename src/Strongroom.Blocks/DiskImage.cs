using Microsoft.Win32.SafeHandles;
using Strongroom.Blocks.Qcow2;
using Strongroom.Blocks.Raw;
using Strongroom.Blocks.Vhd;

namespace Strongroom.Blocks;

/// <summary>Opens disk images of every format that is read.</summary>
public static class DiskImage
{
    /// <summary>The format by content: qcow2 by its first bytes, VHD by the footer at the end (a dynamic one also has it at the start), all else is raw.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static DiskFormat Detect(SafeFileHandle file)
    {
        if (StartsAsQcow2(file))
            return DiskFormat.Qcow2;
        Span<byte> sector = stackalloc byte[VhdFooter.LengthBytes];
        var end = RandomAccess.GetLength(file) - VhdFooter.LengthBytes;
        if (end >= 0 && RandomAccess.Read(file, sector, end) == sector.Length && VhdFooter.HasCookie(sector))
            return IsFixed(sector) ? DiskFormat.FixedVhd : DiskFormat.DynamicVhd;
        return RandomAccess.Read(file, sector, 0) == sector.Length && VhdFooter.HasCookie(sector) && !IsFixed(sector) ? DiskFormat.DynamicVhd : DiskFormat.Raw;
    }

    /// <summary>Opens the disk in a file for reading. Owns <paramref name="file"/> from the call on: it is closed with the source, or at once when opening fails.</summary>
    /// <exception cref="InvalidDataException">The file is not of the demanded format, is damaged, or uses something that is refused; the message says what.</exception>
    /// <exception cref="IOException">The file cannot be read, or the program that reads qcow2 is missing or fails.</exception>
    public static async Task<IBlockSource> OpenAsync(DiskFile file, DiskOpenOptions options, CancellationToken cancellationToken)
    {
        try
        {
            var diskFormat = options.Format ?? Detect(file.Handle);
            if (options.DirtyBitmap is { } bitmap && diskFormat != DiskFormat.Qcow2)
                throw new DirtyBitmapUnusableException($"'{file.Path}' has no bitmap '{bitmap}': only qcow2 keeps bitmaps.");
            return diskFormat switch
            {
                DiskFormat.Raw => new RawBlockSource(file),
                DiskFormat.Qcow2 => await QemuNbdSource.StartAsync(file, options, cancellationToken).ConfigureAwait(false),
                _ => await FixedVhd.OpenAsync(file, cancellationToken).ConfigureAwait(false),
            };
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    internal static bool StartsAsQcow2(SafeFileHandle file)
    {
        Span<byte> start = stackalloc byte[4];
        return RandomAccess.Read(file, start, 0) == start.Length && start.SequenceEqual(Qcow2Header.Magic);
    }

    private static bool IsFixed(ReadOnlySpan<byte> footer)
    {
        try
        {
            return VhdFooter.Parse(footer).DiskType == VhdDiskType.Fixed;
        }
        catch (InvalidDataException)
        {
            // Damaged: the opener says how.
            return true;
        }
    }
}
