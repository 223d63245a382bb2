using Strongroom.Blocks.Iscsi.Login;
using Strongroom.Blocks.Iscsi.Scsi;

namespace Strongroom.Blocks.Iscsi.Sessions;

/// <summary>A target while it is served: its sessions, and the units that they see. Safe from many threads.</summary>
internal sealed class TargetHost(IscsiTarget target, IscsiServerOptions options) : IAsyncDisposable
{
    private readonly SemaphoreSlim _lock = new(1);
    private readonly Dictionary<Nexus, IscsiSession> _sessions = []; // guarded by _lock
    private readonly Dictionary<Nexus, UnitSet> _units = []; // guarded by _lock
    private UnitSet? _shared; // guarded by _lock
    private volatile bool _isEnding;

    public IscsiTarget Target => target;

    public int Sessions => _sessions.Count;

    /// <summary>Lets a session begin. One of the same initiator port that is there still is ended first (session reinstatement, RFC 7143, 6.3.5).</summary>
    /// <exception cref="LoginRefusedException">The target ends, or has too many sessions.</exception>
    public async Task<IReadOnlyDictionary<byte, LogicalUnit>> EnterAsync(IscsiSession session, CancellationToken cancellationToken)
    {
        while (true)
        {
            IscsiSession? former;
            await _lock.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                if (_isEnding || target.EndsAt <= options.Time.GetUtcNow())
                    throw new LoginRefusedException(LoginStatus.NotFound, "The target ends.");
                if (!_sessions.TryGetValue(session.Nexus, out former))
                    return await AdmitAsync(session).ConfigureAwait(false);
            }
            finally
            {
                _lock.Release();
            }

            former.Stop();
            await former.Ended.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <param name="loggedOut">Its changes are not wanted any more; otherwise they wait for the initiator to come back.</param>
    public async Task LeaveAsync(IscsiSession session, bool loggedOut)
    {
        await _lock.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            _sessions.Remove(session.Nexus);
            foreach (var unit in session.Units.Values)
            {
                unit.Attentions.Close(session.Nexus);
                unit.Reservations.ReleaseLegacy(session.Nexus);
            }

            if (!_units.TryGetValue(session.Nexus, out var set))
                return;
            set.IdleSince = options.Time.GetUtcNow();
            if (loggedOut || _isEnding)
                await DropAsync(session.Nexus, set).ConfigureAwait(false);
        }
        finally
        {
            _lock.Release();
        }
    }

    /// <summary>Throws changes away whose initiators have not come back in time.</summary>
    public async Task SweepAsync()
    {
        await _lock.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            var before = options.Time.GetUtcNow() - options.OverlayRetention;
            foreach (var (nexus, set) in _units.Where(pair => pair.Value.IdleSince <= before).ToList())
                await DropAsync(nexus, set).ConfigureAwait(false);
        }
        finally
        {
            _lock.Release();
        }
    }

    /// <summary>Sessions that see a unit.</summary>
    public async Task<IReadOnlyList<IscsiSession>> SessionsAsync(LogicalUnit? unit)
    {
        await _lock.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            return [.. _sessions.Values.Where(session => unit is null || session.Units.Values.Contains(unit))];
        }
        finally
        {
            _lock.Release();
        }
    }

    /// <summary>Ends the target: initiators are asked to leave and have so long to do it; then their sessions end. When it returns, nobody uses the disks.</summary>
    public async Task EndAsync(TimeSpan grace)
    {
        _isEnding = true;
        var sessions = await SessionsAsync(null).ConfigureAwait(false);
        await Task.WhenAll(sessions.Select(session => session.EndAsync(grace))).ConfigureAwait(false);

        // Those that were entering meanwhile saw nothing of it.
        foreach (var session in await SessionsAsync(null).ConfigureAwait(false))
            await session.EndAsync(TimeSpan.Zero).ConfigureAwait(false);
    }

    /// <summary>After <see cref="EndAsync"/>. Who comes late is still told that the target ends.</summary>
    public async ValueTask DisposeAsync()
    {
        await _lock.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            foreach (var (nexus, set) in _units.ToList())
                await DropAsync(nexus, set).ConfigureAwait(false);
            if (_shared is not null)
                await _shared.DisposeAsync().ConfigureAwait(false);
            _shared = null;
        }
        finally
        {
            _lock.Release();
        }
    }

    private async Task<IReadOnlyDictionary<byte, LogicalUnit>> AdmitAsync(IscsiSession session)
    {
        if (_sessions.Count >= options.SessionsOfTarget)
            throw new LoginRefusedException(LoginStatus.OutOfResources, "The target has as many sessions as it may.");
        _shared ??= await UnitSet.OpenAsync(target, nexus: null, options).ConfigureAwait(false);
        var units = _shared.Units.ToDictionary();
        if (target.Luns.Any(lun => !UnitSet.IsShared(target, lun)))
        {
            var own = await UnitsOfAsync(session.Nexus).ConfigureAwait(false);
            own.IdleSince = null;
            foreach (var (number, unit) in own.Units)
                units.Add(number, unit);
        }

        foreach (var unit in units.Values)
            unit.Attentions.Open(session.Nexus);
        _sessions.Add(session.Nexus, session);
        return units;
    }

    private async Task<UnitSet> UnitsOfAsync(Nexus nexus)
    {
        if (_units.TryGetValue(nexus, out var found))
            return found;
        if (_units.Count >= options.OverlaysOfTarget)
            throw new LoginRefusedException(LoginStatus.OutOfResources, "The target has as many overlays as it may.");
        var set = await UnitSet.OpenAsync(target, nexus, options).ConfigureAwait(false);
        _units.Add(nexus, set);
        return set;
    }

    private async Task DropAsync(Nexus nexus, UnitSet set)
    {
        _units.Remove(nexus);
        await set.DisposeAsync().ConfigureAwait(false);
    }
}
