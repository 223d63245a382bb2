using System.Globalization;
using Strongroom.Backup.Machines;
using Strongroom.Blocks;
using Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

/// <summary>Writes a disk into a file of the server's, and sends it to its host when it is whole.</summary>
internal sealed class StagedDiskWriter : IDiskWriter
{
    private readonly IDiskWriter _inner;
    private readonly string _file;
    private readonly DiskUpload _upload;

    private StagedDiskWriter(IDiskWriter inner, string file, DiskUpload upload) => (_inner, _file, _upload) = (inner, file, upload);

    /// <exception cref="IOException">The server's own folder cannot be written.</exception>
    public static StagedDiskWriter Create(HostSetting setting, MachineDisk disk, string format, DiskUpload upload)
    {
        Directory.CreateDirectory(setting.StagingFolder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var file = Path.Combine(setting.StagingFolder, Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture));
        return new(DiskWriters.Create(file, format == "raw" ? DiskFormat.Raw : DiskFormat.Qcow2, disk.SizeBytes, Guid.NewGuid(), setting.Time.GetUtcNow()), file, upload);
    }

    public ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken) => _inner.WriteAsync(offsetBytes, data, cancellationToken);

    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        await _inner.FinishAsync(cancellationToken);
        await _upload.RunAsync(_file, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _inner.DisposeAsync();
        File.Delete(_file);
    }
}
