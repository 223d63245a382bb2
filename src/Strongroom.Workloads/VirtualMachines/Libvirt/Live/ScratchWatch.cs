namespace Strongroom.Workloads.VirtualMachines.Libvirt.Live;

/// <summary>
/// Looks after the room for what a machine overwrites while it is read. QEMU stops a machine whose scratch file cannot grow; the backup is given up before that.
/// </summary>
/// <remarks>
/// Again and again: is what is left less than a reserve, or less than what the machine wrote in the last looks (two seconds here, six on another machine)?
/// </remarks>
internal sealed class ScratchWatch : IAsyncDisposable
{
    private const long MostReserveBytes = 512L << 20;

    private readonly CancellationTokenSource _end = new();
    private readonly Task _watching;

    /// <param name="folder">Of this machine.</param>
    /// <param name="giveUp">Ends the backup on the host; called once.</param>
    public ScratchWatch(string folder, Action<string> giveUp)
        : this(new LocalScratch(folder), giveUp)
    {
    }

    /// <param name="giveUp">Ends the backup on the host; called once.</param>
    public ScratchWatch(ScratchSpace space, Action<string> giveUp) => _watching = WatchAsync(space, giveUp);

    /// <summary>Why a backup must not begin; null: there is room.</summary>
    /// <param name="folder">Of this machine.</param>
    public static string? Refuse(string folder) => Refuse(folder, new LocalScratch(folder).Room);

    /// <inheritdoc cref="Refuse(string)"/>
    public static string? Refuse(string folder, ScratchRoom room) => room.AvailableBytes > Reserve(room) ? null : Full(folder, room);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _watching;
        _end.Dispose();
    }

    private async Task WatchAsync(ScratchSpace space, Action<string> giveUp)
    {
        long? before = null;
        long perInterval = 0;
        try
        {
            using var timer = new PeriodicTimer(space.Interval);
            do
            {
                if (await TryLookAsync(space) is not { } room) continue;
                // The worst seen fades by an eighth each time, so that a burst is remembered for a while.
                perInterval = Math.Max((before ?? room.AvailableBytes) - room.AvailableBytes, perInterval - (perInterval / 8));
                before = room.AvailableBytes;
                if (room.AvailableBytes > Math.Max(Reserve(room), perInterval * space.IntervalsAhead)) continue;
                giveUp(Full(space.Folder, room));
                return;
            }
            while (await timer.WaitForNextTickAsync(_end.Token));
        }
        catch (OperationCanceledException)
        {
        }
    }

    /// <returns>Null: it cannot be told now. The next look may tell.</returns>
    private async Task<ScratchRoom?> TryLookAsync(ScratchSpace space)
    {
        try
        {
            // A host that hangs does not keep the watch from ending.
            return await space.LookAsync(_end.Token).WaitAsync(_end.Token);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>An eighth of a small file system, half a GiB of a large one.</summary>
    private static long Reserve(ScratchRoom room) => Math.Min(MostReserveBytes, room.TotalBytes / 8);

    private static string Full(string folder, ScratchRoom room) =>
        $"The scratch space '{folder}' has only {room.AvailableBytes >> 20} MiB left; the machine would be stopped if it were full.";
}
