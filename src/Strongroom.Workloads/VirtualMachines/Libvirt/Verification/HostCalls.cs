namespace Strongroom.Workloads.VirtualMachines.Libvirt.Verification;

/// <summary>
/// A connection of one's own, whose calls block, used by a caller that does not wait for them longer than it likes: a libvirt that stands still answers when it goes on, and
/// a connection on this machine has no limit of its own. Calls are made one after another.
/// </summary>
internal sealed class HostCalls<T> : IAsyncDisposable where T : class, IDisposable
{
    /// <summary>How long the end of a connection is waited for; it ends all the same.</summary>
    private static readonly TimeSpan CloseLimit = TimeSpan.FromSeconds(10);

    private readonly T _connection;
    private Task _last = Task.CompletedTask;

    private HostCalls(T connection) => _connection = connection;

    /// <summary>A call that nobody waits for has not ended; no other can be made.</summary>
    public bool Hangs => !_last.IsCompleted;

    /// <exception cref="OperationCanceledException">It was not opened in time; it is closed when it is.</exception>
    public static async Task<HostCalls<T>> OpenAsync(Func<T> open, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var opening = OnOwnThread(open);
        try
        {
            return new(await opening.WaitAsync(cancellationToken));
        }
        catch (OperationCanceledException)
        {
            _ = CloseLateAsync(opening);
            throw;
        }
    }

    /// <exception cref="OperationCanceledException">The call has not ended in time, and is left to itself.</exception>
    public async Task<TResult> RunAsync<TResult>(Func<T, TResult> call, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (Hangs) throw new InvalidOperationException("A call on the connection has not ended.");
        var running = OnOwnThread(() => call(_connection));
        _last = running;
        return await running.WaitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        // Also closing is a question to the host.
        var closing = _last.ContinueWith(_ => _connection.Dispose(), CancellationToken.None, TaskContinuationOptions.LongRunning, TaskScheduler.Default);
        if (Hangs) return;
        try
        {
            await closing.WaitAsync(CloseLimit);
        }
        catch (TimeoutException)
        {
        }
    }

    private static async Task CloseLateAsync(Task<T> opening)
    {
        await ((Task)opening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (opening.IsCompletedSuccessfully) (await opening).Dispose();
    }

    private static Task<TResult> OnOwnThread<TResult>(Func<TResult> call) => Task.Factory.StartNew(call, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
