namespace Strongroom.Workloads.VirtualMachines.Libvirt.Live;

/// <summary>
/// Looks after the room for what a machine overwrites while it is read. QEMU stops a machine whose scratch file cannot grow; the backup is given up before that.
/// </summary>
/// <remarks>
/// Every quarter of a second: is what is left less than a reserve, or less than what the machine wrote in the last two seconds? On a host that is another
/// machine its libvirt is asked for the pool that holds the folder; where there is none, nothing is watched.
/// </remarks>
internal sealed class ScratchWatch : IAsyncDisposable
{
    private const long MostReserveBytes = 512L << 20;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private readonly CancellationTokenSource _end = new();
    private readonly Task _watching;

    /// <param name="folder">Of this machine.</param>
    /// <param name="giveUp">Ends the backup on the host; called once.</param>
    public ScratchWatch(string folder, Action<string> giveUp) => _watching = WatchAsync(folder, giveUp);

    /// <summary>Why a backup must not begin; null: there is room.</summary>
    public static string? Refuse(string folder)
    {
        var drive = new DriveInfo(folder);
        return drive.AvailableFreeSpace > Reserve(drive) ? null : Full(folder, drive);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _watching;
        _end.Dispose();
    }

    private async Task WatchAsync(string folder, Action<string> giveUp)
    {
        var drive = new DriveInfo(folder);
        var before = drive.AvailableFreeSpace;
        long perInterval = 0;
        try
        {
            using var timer = new PeriodicTimer(Interval);
            while (await timer.WaitForNextTickAsync(_end.Token))
            {
                var now = drive.AvailableFreeSpace;
                // The worst seen fades by an eighth each time, so that a burst is remembered for a while.
                perInterval = Math.Max(before - now, perInterval - (perInterval / 8));
                before = now;
                if (now > Math.Max(Reserve(drive), perInterval * 8)) continue;
                giveUp(Full(folder, drive));
                return;
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    /// <summary>An eighth of a small file system, half a GiB of a large one.</summary>
    private static long Reserve(DriveInfo drive) => Math.Min(MostReserveBytes, drive.TotalSize / 8);

    private static string Full(string folder, DriveInfo drive) =>
        $"The scratch space '{folder}' has only {drive.AvailableFreeSpace >> 20} MiB left; the machine would be stopped if it were full.";
}
