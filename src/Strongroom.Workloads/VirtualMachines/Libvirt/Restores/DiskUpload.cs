using Strongroom.Blocks;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;
using Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

/// <summary>Makes a volume of a file of the server's: byte for byte, with its holes.</summary>
/// <param name="volume">Its name.</param>
/// <param name="diskBytes">The disk's size.</param>
/// <param name="isDevice">The volume is a device of the disk's size; else it is a file as long as the server's.</param>
internal sealed class DiskUpload(HostSetting setting, string pool, string volume, long diskBytes, bool isDevice)
{
    private const int PieceBytes = 1 << 20;

    /// <exception cref="Backup.Machines.MachineException">The host cannot take it.</exception>
    public async Task RunAsync(string path, CancellationToken cancellationToken)
    {
        using var file = DiskFile.OpenRegular(path);
        await using var image = await DiskImage.OpenAsync(file.Reopen(), new() { Format = DiskFormat.Raw }, cancellationToken);
        var extents = new List<BlockExtent>();
        await foreach (var extent in image.MapAsync(cancellationToken)) extents.Add(extent);
        await setting.UseAsync(connection =>
        {
            using var opened = StoragePools.Open(connection, setting.Host, pool);
            setting.Writing(pool, () => Send(opened, file, image.LengthBytes, extents, cancellationToken));
        }, cancellationToken);
    }

    private bool Send(LibvirtPool opened, DiskFile file, long lengthBytes, List<BlockExtent> extents, CancellationToken cancellationToken)
    {
        using var made = opened.CreateVolume(PoolStage.VolumeXml(volume, isDevice ? diskBytes : lengthBytes, isSparse: !isDevice));
        using var upload = made.Upload(0, lengthBytes);
        var piece = new byte[PieceBytes];
        foreach (var extent in extents)
        {
            if (extent.Kind == BlockKind.Zero)
            {
                upload.WriteHole(extent.LengthBytes);
                continue;
            }

            for (long sent = 0; sent < extent.LengthBytes;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var count = RandomAccess.Read(file.Handle, piece.AsSpan(0, (int)Math.Min(piece.Length, extent.LengthBytes - sent)), extent.OffsetBytes + sent);
                if (count == 0) throw new EndOfStreamException($"'{file.Path}' has become shorter.");
                upload.Write(piece.AsSpan(0, count));
                sent += count;
            }
        }

        upload.Finish();
        return true;
    }
}
