namespace Strongroom.Blocks.Iscsi.Sessions;

/// <summary>Bytes that the commands of one session may hold: who wants more than is free waits, first come first served.</summary>
internal sealed class MemoryBudget(int bytes)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<(int Bytes, TaskCompletionSource Granted)> _waiting = []; // guarded by _lock
    private int _free = bytes; // guarded by _lock

    /// <param name="wantedBytes">At most what the budget has.</param>
    public async ValueTask TakeAsync(int wantedBytes, CancellationToken cancellationToken)
    {
        LinkedListNode<(int Bytes, TaskCompletionSource Granted)> place;
        lock (_lock)
        {
            if (_waiting.Count == 0 && wantedBytes <= _free)
            {
                _free -= wantedBytes;
                return;
            }

            place = _waiting.AddLast((wantedBytes, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)));
        }

        try
        {
            await place.Value.Granted.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            lock (_lock)
            {
                if (place.Value.Granted.Task.IsCompleted)
                    _free += wantedBytes;
                else
                    _waiting.Remove(place);
                Grant();
            }

            throw;
        }
    }

    public void Return(int takenBytes)
    {
        lock (_lock)
        {
            _free += takenBytes;
            Grant();
        }
    }

    private void Grant()
    {
        while (_waiting.First is { } next && next.Value.Bytes <= _free)
        {
            _free -= next.Value.Bytes;
            _waiting.RemoveFirst();
            next.Value.Granted.SetResult();
        }
    }
}
