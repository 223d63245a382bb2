using Microsoft.Extensions.Logging;
using Strongroom.Backup.Machines;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Live;

/// <summary>
/// Removes what backups have left on hosts, also on those that do not answer when it is to be done: QEMU keeps what a machine overwrites for as long as its backup job
/// stands, until there is no room and the machine stops.
/// </summary>
/// <remarks>Thread-safe. What is owed is remembered until the server ends; then the item's next backup removes it.</remarks>
/// <param name="firstPause">After the first try on a host that does not answer; later ones are longer, up to a minute.</param>
internal sealed class OwedCleanUps(TimeSpan firstPause, TimeProvider time, ILogger log) : IDisposable
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private readonly Dictionary<Guid, (CancellationTokenSource End, Task Work)> _owed = [];
    private readonly Lock _gate = new();
    private bool _isDisposed;

    /// <summary>Does it now, instead of what is owed of the item; if the host does not answer, again and again behind the caller's back.</summary>
    /// <param name="itemKey">Whose backup has left it; for others the job's id.</param>
    /// <param name="tries">How often it is tried before the caller goes on.</param>
    public async Task DoAsync(Guid itemKey, Func<Task> cleanUp, int tries)
    {
        await StopAsync(itemKey);
        for (var tried = 1; !await TryAsync(cleanUp); tried++)
        {
            if (tried == tries)
            {
                Owe(itemKey, cleanUp);
                return;
            }

            await Task.Delay(firstPause, time, CancellationToken.None);
        }
    }

    /// <summary>A new backup of the item begins, which removes what was left: nothing is removed beside it.</summary>
    public async Task StopAsync(Guid itemKey)
    {
        (CancellationTokenSource End, Task Work) owed;
        lock (_gate)
        {
            if (!_owed.Remove(itemKey, out owed)) return;
        }

        await owed.End.CancelAsync();
        await owed.Work;
        owed.End.Dispose();
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            foreach (var (end, _) in _owed.Values) end.Cancel();
        }
    }

    private void Owe(Guid itemKey, Func<Task> cleanUp)
    {
        lock (_gate)
        {
            if (_isDisposed) return;
            var end = new CancellationTokenSource();
            _owed[itemKey] = (end, Task.Run(() => GoOnAsync(cleanUp, end.Token)));
        }
    }

    private async Task GoOnAsync(Func<Task> cleanUp, CancellationToken end)
    {
        var pause = firstPause;
        do
        {
            await Task.Delay(pause, time, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (end.IsCancellationRequested) return;
            pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks));
        }
        while (!await TryAsync(cleanUp));
    }

    /// <returns>False: the host does not answer.</returns>
    private async Task<bool> TryAsync(Func<Task> cleanUp)
    {
        try
        {
            await cleanUp();
            return true;
        }
        catch (MachineException exception) when (exception.Problem == MachineProblem.HostUnreachable)
        {
            log.LogInformation("What was made on a host is not removed yet: {Reason}", exception.Message);
            return false;
        }
        catch (Exception exception)
        {
            log.LogWarning(exception, "What a backup made on its host is left to the next backup");
            return true;
        }
    }
}
