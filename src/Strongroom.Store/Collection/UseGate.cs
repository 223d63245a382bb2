namespace Strongroom.Store.Collection;

/// <summary>Sessions, readers and restores use the packs together; a collection needs them alone. Thread-safe.</summary>
internal sealed class UseGate
{
    private readonly Lock gate = new();
    private int users;
    private TaskCompletionSource? exclusive;

    /// <summary>Waits for a running collection to end, then holds off the next until the result is disposed.</summary>
    public async Task<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task busy;
            lock (gate)
            {
                if (exclusive is null)
                {
                    users++;
                    return new Use(this);
                }

                busy = exclusive.Task;
            }

            await busy.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Null when somebody uses the packs: a collection never waits, it comes again later.</summary>
    public IDisposable? TryEnterAlone()
    {
        lock (gate)
        {
            if (users > 0 || exclusive is not null)
                return null;
            exclusive = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return new Alone(this);
        }
    }

    private sealed class Use(UseGate owner) : IDisposable
    {
        private int isDisposed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref isDisposed, 1) != 0)
                return;
            lock (owner.gate)
                owner.users--;
        }
    }

    private sealed class Alone(UseGate owner) : IDisposable
    {
        public void Dispose()
        {
            TaskCompletionSource? ended;
            lock (owner.gate)
                (ended, owner.exclusive) = (owner.exclusive, null);
            ended?.TrySetResult();
        }
    }
}
