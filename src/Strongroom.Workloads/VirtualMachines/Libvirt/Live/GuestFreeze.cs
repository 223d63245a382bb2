using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Live;

/// <summary>One try to hold a machine's file systems still, with a guard of its own, and what came of it. Blocks.</summary>
internal sealed class GuestFreeze : IDisposable
{
    private readonly Func<int> _thaw;
    private readonly FreezeGuard? _guard;
    private readonly List<string> _notes;
    private readonly ILogger _log;
    private readonly Stopwatch _watch = new();
    private readonly int? _frozen;
    private bool _hasEnded, _isDisposed;

    /// <summary>Starts the guard, and freezes as soon as it is ready: its clock runs from then on. Never fails; what does not work is in the notes.</summary>
    /// <param name="freeze">Freezes the file systems and tells how many; fails with a <see cref="Native.LibvirtException"/>.</param>
    /// <param name="thaw">Thaws them and tells how many; fails likewise.</param>
    /// <param name="startGuard">Null: it does not start, and nothing is frozen.</param>
    /// <param name="notes">For the machine's owner.</param>
    public GuestFreeze(Func<int> freeze, Func<int> thaw, Func<FreezeGuard?> startGuard, List<string> notes, ILogger log)
    {
        (_thaw, _notes, _log) = (thaw, notes, log);
        _guard = startGuard();
        if (_guard is not { IsThere: true })
        {
            _notes.Add("The machine was not asked to hold still: the process that guards a freeze did not start.");
            return;
        }

        _watch.Start();
        try
        {
            _frozen = freeze();
        }
        catch (Native.LibvirtException exception)
        {
            _notes.Add($"The file systems could not be frozen: {exception.Message}.");
            // Some may be.
            LetGo();
        }
    }

    /// <summary>How long the file systems stood still, from the call that freezes them to the return of the one that thaws them; null: not all the time, or there are none.</summary>
    public TimeSpan? Held { get; private set; }

    /// <summary>Thaws what is frozen; the snapshot is taken.</summary>
    public void End()
    {
        if (_frozen is not { } frozen || _hasEnded) return;
        _hasEnded = true;
        var (thawed, isOurs) = LetGo();
        if (thawed is null || !isOurs)
            _notes.Add("The snapshot took so long that the machine was let go before it.");
        else if (frozen == 0)
            _notes.Add("The guest agent has frozen nothing: the machine has no file system that can be.");
        else if (thawed < frozen)
            _notes.Add("The machine has let go of its file systems by itself before the snapshot was taken.");
        else
            Held = _watch.Elapsed;
    }

    /// <summary>Thaws what is still frozen, for no snapshot.</summary>
    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        if (_frozen is not null && !_hasEnded) LetGo();
        _guard?.Dispose();
    }

    /// <returns>How many file systems were thawed here, null if that failed: then the guard goes on trying. And whether the guard had not done so before.</returns>
    private (int? Thawed, bool IsOurs) LetGo()
    {
        try
        {
            var thawed = _thaw();
            _watch.Stop();
            return (thawed, _guard!.End());
        }
        catch (Native.LibvirtException exception)
        {
            _log.LogError("File systems could not be thawed: {Reason}", exception.Message);
            return (null, false);
        }
    }
}
