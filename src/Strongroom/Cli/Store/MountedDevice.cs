using Strongroom.Backup.FileRecovery;
using Strongroom.Blocks;
using Strongroom.Blocks.Overlay;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary>A disk of a snapshot as a device: as it is, or with changes in an overlay file.</summary>
internal sealed class MountedDevice : IAsyncDisposable
{
    private MountedDevice(IBlockDevice device, string? overlayPath)
    {
        Device = device;
        OverlayPath = overlayPath;
    }

    public IBlockDevice Device { get; }

    /// <summary>Null when the device cannot be written.</summary>
    public string? OverlayPath { get; }

    /// <exception cref="InvalidDataException">The file is no overlay of this disk.</exception>
    /// <exception cref="IOException">The overlay cannot be used.</exception>
    public static async Task<MountedDevice> OpenAsync(VaultStore vault, Snapshot snapshot, SnapshotImage image, string? overlay, CancellationToken cancellationToken)
    {
        var disk = new ImageBlockSource(await vault.OpenImageAsync(image.Image, cancellationToken));
        if (overlay is null)
            return new(new ReadOnlyDevice(disk), null);
        var path = Path.GetFullPath(overlay);
        return new(await OverlayDevice.OpenAsync(path, disk, $"vault {vault.VaultId}, snapshot {snapshot.Id}, disk {image.Name}, LUN {image.Lun}"), path);
    }

    public ValueTask DisposeAsync() => ((IAsyncDisposable)Device).DisposeAsync();
}
