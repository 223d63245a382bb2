using Strongroom.Blocks;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Live;

/// <summary>
/// Makes a backup's scratch files before the freeze. libvirt makes them within <c>virDomainBackupBegin</c>, where the guest stands still: with two disks that is
/// half of what the call takes.
/// </summary>
internal static class ScratchFiles
{
    /// <summary>Makes all of them: empty qcow2 images as large as their disks.</summary>
    /// <returns>False: they cannot be made from here, none is there, and libvirt has to.</returns>
    public static async Task<bool> TryCreateAsync(LibvirtHost host, IReadOnlyList<(string Path, long LengthBytes)> files)
    {
        if (!host.IsLocal) return false;
        try
        {
            await Task.WhenAll(files.Select(file => CreateAsync(file.Path, file.LengthBytes)));
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            foreach (var (path, _) in files) File.Delete(path);
            return false;
        }
    }

    private static async Task CreateAsync(string path, long lengthBytes)
    {
        await using var writer = DiskWriters.Create(path, DiskFormat.Qcow2, lengthBytes, Guid.Empty, default);
        await writer.FinishAsync(CancellationToken.None);
    }
}
