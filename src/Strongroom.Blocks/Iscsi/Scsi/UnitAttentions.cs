namespace Strongroom.Blocks.Iscsi.Scsi;

/// <summary>What each nexus has yet to be told (SAM-5, 5.14). Safe from many threads.</summary>
internal sealed class UnitAttentions
{
    private const int MostPending = 8;

    private readonly Lock _lock = new();
    private readonly Dictionary<Nexus, Queue<Sense>> _pending = []; // guarded by _lock

    /// <summary>The nexus exists from now on.</summary>
    public void Open(Nexus nexus)
    {
        lock (_lock)
            _pending.TryAdd(nexus, new());
    }

    public void Close(Nexus nexus)
    {
        lock (_lock)
            _pending.Remove(nexus);
    }

    /// <summary>The next one, which is thereby told; null for none.</summary>
    public Sense? Take(Nexus nexus)
    {
        lock (_lock)
            return _pending.TryGetValue(nexus, out var queue) && queue.TryDequeue(out var sense) ? sense : null;
    }

    public void Raise(Nexus nexus, Sense sense)
    {
        lock (_lock)
        {
            if (_pending.TryGetValue(nexus, out var queue))
                Add(queue, sense);
        }
    }

    public void RaiseForAll(Sense sense, Nexus? except = null)
    {
        lock (_lock)
        {
            foreach (var (nexus, queue) in _pending)
            {
                if (nexus != except)
                    Add(queue, sense);
            }
        }
    }

    private static void Add(Queue<Sense> queue, Sense sense)
    {
        if (queue.Count < MostPending && !queue.Contains(sense))
            queue.Enqueue(sense);
    }
}
