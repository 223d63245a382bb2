using Strongroom.Blocks;
using Strongroom.Blocks.Qcow2;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

/// <summary>The headers of images on this machine.</summary>
internal static class ImageHeaders
{
    // Formats that may be made over something, which is not looked for: QED, and VMDK in three kinds.
    private static readonly byte[][] Others = ["QED\0"u8.ToArray(), "KDMV"u8.ToArray(), "COWD"u8.ToArray(), "# Di"u8.ToArray()];

    /// <summary>What the image at a path is made over; null where it cannot be read. Links are followed.</summary>
    public static BackingReference? Look(string path)
    {
        try
        {
            using var place = PathHandle.Open(path);
            using var file = DiskFile.OpenFileOrDevice(place.RealPath, isShared: true);
            var start = new byte[Qcow2Header.Magic.Length];
            _ = RandomAccess.Read(file.Handle, start, 0);
            if (!start.AsSpan().SequenceEqual(Qcow2Header.Magic)) return Others.Any(start.SequenceEqual) ? null : BackingReference.None;
            var header = Qcow2Header.Read(file.Handle);
            return new(header.BackingFile, header.BackingFormat);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return null;
        }
    }
}
