using Strongroom.Backup.Machines;
using Strongroom.Blocks;
using Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

/// <summary>Writes a disk into a pool's folder, and gives it to its owner when it is whole.</summary>
/// <param name="like">A file, whose owner and mode it gets, or a folder, whose owner it gets.</param>
internal sealed class PoolFileWriter(HostSetting setting, string pool, MachineDisk disk, IDiskWriter inner, string path, string like) : IDiskWriter
{
    public async ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        try
        {
            await inner.WriteAsync(offsetBytes, data, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw setting.NotWritable(pool, disk, exception);
        }
    }

    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        try
        {
            await inner.FinishAsync(cancellationToken);
            FolderChanges.CopyOwner(like, path);
            if (File.Exists(like)) File.SetUnixFileMode(path, File.GetUnixFileMode(like));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw setting.NotWritable(pool, disk, exception);
        }
    }

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
