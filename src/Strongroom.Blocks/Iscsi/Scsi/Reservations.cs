namespace Strongroom.Blocks.Iscsi.Scsi;

/// <summary>Who may use a unit: RESERVE(6) (SPC-2) and persistent reservations (SPC-4, 5.13). Safe from many threads; not kept over a restart.</summary>
internal sealed class Reservations
{
    private const int MostRegistrations = 256;

    private readonly Lock _lock = new();
    private readonly Dictionary<Nexus, ulong> _keys = []; // guarded by _lock
    private Nexus? _legacyHolder; // guarded by _lock
    private Nexus? _holder; // guarded by _lock
    private ReservationType? _type; // guarded by _lock; null is no reservation
    private uint _generation; // guarded by _lock

    /// <summary>What is registered and reserved at this moment.</summary>
    public (uint Generation, IReadOnlyList<KeyValuePair<Nexus, ulong>> Keys, ReservationType? Type, Nexus? Holder) Snapshot()
    {
        lock (_lock)
            return (_generation, [.. _keys], _type, _holder);
    }

    /// <exception cref="ReservationConflictException">A reservation of another nexus is in the way.</exception>
    public void Require(Nexus nexus, CommandEntry entry)
    {
        lock (_lock)
        {
            if (_legacyHolder is not null && _legacyHolder != nexus && entry.Access != CommandAccess.Always)
                throw new ReservationConflictException();
            if (_type is not { } type || entry.Access is CommandAccess.Always or CommandAccess.Inspects || IsHolder(nexus))
                return;
            if (_keys.ContainsKey(nexus) && type.IsForAllRegistered)
                return;
            if (entry.Access == CommandAccess.Writes || type.IsExclusive)
                throw new ReservationConflictException();
        }
    }

    /// <exception cref="ReservationConflictException">Another nexus holds the unit, or persistent reservations are in use.</exception>
    public void ReserveLegacy(Nexus nexus)
    {
        lock (_lock)
        {
            if (_keys.Count > 0 || (_legacyHolder is not null && _legacyHolder != nexus))
                throw new ReservationConflictException();
            _legacyHolder = nexus;
        }
    }

    public void ReleaseLegacy(Nexus nexus)
    {
        lock (_lock)
        {
            if (_legacyHolder == nexus)
                _legacyHolder = null;
        }
    }

    /// <summary>A reset ends reservations of the old kind; persistent ones stay.</summary>
    public void Reset()
    {
        lock (_lock)
            _legacyHolder = null;
    }

    /// <param name="key">The key that is registered now; null to ignore it.</param>
    /// <param name="newKey">0 takes the registration away.</param>
    public void Register(Nexus nexus, ulong? key, ulong newKey, UnitAttentions attentions)
    {
        lock (_lock)
        {
            RequireNoLegacy();
            var isRegistered = _keys.TryGetValue(nexus, out var registered);
            if (key is { } given && given != registered)
                throw new ReservationConflictException();
            if (newKey != 0)
            {
                if (!isRegistered && _keys.Count >= MostRegistrations)
                    throw new ScsiException(new(SenseKey.IllegalRequest, 0x5504)); // insufficient registration resources
                _keys[nexus] = newKey;
            }
            else if (isRegistered)
            {
                Unregister(nexus, attentions);
            }

            _generation++;
        }
    }

    public void Reserve(Nexus nexus, ulong key, ReservationType type)
    {
        lock (_lock)
        {
            RequireKey(nexus, key);
            if (_type is not null && (!IsHolder(nexus) || _type != type))
                throw new ReservationConflictException();
            (_type, _holder) = (type, nexus);
        }
    }

    public void Release(Nexus nexus, ulong key, ReservationType type, UnitAttentions attentions)
    {
        lock (_lock)
        {
            RequireKey(nexus, key);
            if (_type is null || !IsHolder(nexus))
                return;
            if (_type != type)
                throw new ScsiException(Sense.InvalidReleaseOfReservation);
            End(nexus, attentions);
        }
    }

    public void Clear(Nexus nexus, ulong key, UnitAttentions attentions)
    {
        lock (_lock)
        {
            RequireKey(nexus, key);
            foreach (var other in _keys.Keys.Where(other => other != nexus))
                attentions.Raise(other, Sense.ReservationsPreempted);
            _keys.Clear();
            (_type, _holder) = (null, null);
            _generation++;
        }
    }

    public void Preempt(Nexus nexus, ulong key, ulong victim, ReservationType type, UnitAttentions attentions)
    {
        lock (_lock)
        {
            RequireKey(nexus, key);
            var takesOver = _type is { } current && (current.IsHeldByAll ? victim == 0 : _holder is not null && _keys.GetValueOrDefault(_holder) == victim);
            if (victim == 0 && !takesOver)
                throw new ScsiException(Sense.InvalidFieldInParameters);
            var victims = _keys.Where(pair => (pair.Value == victim || victim == 0) && pair.Key != nexus).Select(pair => pair.Key).ToList();
            if (victims.Count == 0 && !takesOver)
                throw new ReservationConflictException();
            foreach (var other in victims)
            {
                _keys.Remove(other);
                attentions.Raise(other, Sense.RegistrationsPreempted);
            }

            if (takesOver)
            {
                if (_type != type)
                    RaiseReleased(nexus, attentions);
                (_type, _holder) = (type, nexus);
            }

            _generation++;
        }
    }

    private bool IsHolder(Nexus nexus) => _type is { IsHeldByAll: true } ? _keys.ContainsKey(nexus) : _holder == nexus;

    private void RequireNoLegacy()
    {
        if (_legacyHolder is not null)
            throw new ReservationConflictException();
    }

    private void RequireKey(Nexus nexus, ulong key)
    {
        RequireNoLegacy();
        if (!_keys.TryGetValue(nexus, out var registered) || registered != key)
            throw new ReservationConflictException();
    }

    private void Unregister(Nexus nexus, UnitAttentions attentions)
    {
        _keys.Remove(nexus);
        if (_type is not { } type)
            return;
        if (type.IsHeldByAll ? _keys.Count == 0 : _holder == nexus)
            End(nexus, attentions);
    }

    private void End(Nexus nexus, UnitAttentions attentions)
    {
        if (_type is { IsForAllRegistered: true })
            RaiseReleased(nexus, attentions);
        (_type, _holder) = (null, null);
    }

    private void RaiseReleased(Nexus except, UnitAttentions attentions)
    {
        foreach (var other in _keys.Keys.Where(other => other != except))
            attentions.Raise(other, Sense.ReservationsReleased);
    }
}

/// <summary>A type of persistent reservation (SPC-4, table 174).</summary>
internal readonly record struct ReservationType(byte Code)
{
    public bool IsExclusive => Code is 3 or 6 or 8;

    /// <summary>"Registrants only" and "all registrants".</summary>
    public bool IsForAllRegistered => Code >= 5;

    /// <summary>"All registrants": each registered nexus is a holder.</summary>
    public bool IsHeldByAll => Code >= 7;

    /// <exception cref="ScsiException">There is no such type, or the scope is not the logical unit.</exception>
    public static ReservationType Parse(byte scopeAndType) =>
        scopeAndType is 1 or 3 or 5 or 6 or 7 or 8 ? new(scopeAndType) : throw new ScsiException(Sense.InvalidFieldInCdb);
}
