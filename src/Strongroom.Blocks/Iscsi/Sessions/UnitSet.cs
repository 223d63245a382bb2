using Strongroom.Blocks.Iscsi.Scsi;
using Strongroom.Blocks.Overlay;

namespace Strongroom.Blocks.Iscsi.Sessions;

/// <summary>Logical units of a target: those that one initiator port sees alone, or those that all ports share.</summary>
internal sealed class UnitSet : IAsyncDisposable
{
    private readonly List<(LogicalUnit Unit, IAsyncDisposable Device)> _units = [];

    public IReadOnlyDictionary<byte, LogicalUnit> Units { get; private set; } = new Dictionary<byte, LogicalUnit>();

    /// <summary>When the last session that used it lost its connection; null while one uses it.</summary>
    public DateTimeOffset? IdleSince { get; set; }

    /// <summary>Whether all initiator ports see one and the same unit: where nobody writes, or all see what one has written.</summary>
    public static bool IsShared(IscsiTarget target, IscsiLun lun) => lun.IsReadOnly || target.SharesOverlays;

    /// <summary>Opens the units that one nexus sees alone, or those that are shared.</summary>
    /// <param name="nexus">Whose they are; null for the shared ones.</param>
    /// <exception cref="IOException">An overlay cannot be made.</exception>
    public static async Task<UnitSet> OpenAsync(IscsiTarget target, Nexus? nexus, IscsiServerOptions options)
    {
        var set = new UnitSet();
        var luns = target.Luns.Where(lun => IsShared(target, lun) == nexus is null).ToList();
        try
        {
            byte[] numbers = [.. target.Luns.Select(lun => lun.Number).Order()];
            foreach (var lun in luns)
            {
                var device = await OpenDeviceAsync(lun, options).ConfigureAwait(false);
                var serial = nexus is null ? lun.Serial : UnitIdentity.SerialFor(lun.Serial, nexus);
                set._units.Add((new(device.Device, new(target.Name, serial, numbers), options.OnFailure), device.Owner));
            }

            set.Units = luns.Zip(set._units).ToDictionary(pair => pair.First.Number, pair => pair.Second.Unit);
            return set;
        }
        catch
        {
            await set.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (unit, device) in _units)
        {
            unit.Dispose();
            await device.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task<(IBlockDevice Device, IAsyncDisposable Owner)> OpenDeviceAsync(IscsiLun lun, IscsiServerOptions options)
    {
        var disk = new BorrowedDisk(lun.Disk);
        if (lun.IsReadOnly)
        {
            var device = new ReadOnlyDevice(disk);
            return (device, device);
        }

        var path = Path.Combine(options.OverlayFolder, $".iscsi-{Guid.NewGuid():N}");
        try
        {
            var overlay = await OverlayDevice.OpenAsync(path, disk, lun.Serial, options.OverlayLimitBytes, new(options.OverlayFolder, options.OverlayReserveBytes)).ConfigureAwait(false);
            return (overlay, overlay);
        }
        finally
        {
            // The open file lives on without its name, and goes with the process.
            File.Delete(path);
        }
    }
}
