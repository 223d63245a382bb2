using System.Net.Sockets;

namespace Strongroom.Blocks;

/// <summary>Accepts connections and has each served, so many at a time; further ones are closed at once. Owns the socket.</summary>
/// <param name="listener">Listens already.</param>
/// <param name="connections">How many are served at a time.</param>
/// <param name="serve">Serves one until it ends; its own exceptions are its own affair.</param>
/// <param name="onFailure">Told when no connection could be accepted.</param>
internal sealed class ConnectionListener(Socket listener, int connections, Func<Socket, CancellationToken, Task> serve, Action<Exception> onFailure, TimeProvider time) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly HashSet<Task> _serving = []; // guarded by _lock
    private Task _accepting = Task.CompletedTask;
    private bool _isDisposed;

    public void Start() => _accepting = AcceptAsync();

    /// <summary>Closes every connection; when it returns, none is served any more.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true))
            return;
        await _stop.CancelAsync().ConfigureAwait(false);
        listener.Dispose();
        await _accepting.ConfigureAwait(false);
        Task[] serving;
        lock (_lock)
            serving = [.. _serving];
        await Task.WhenAll(serving).ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException failure)
            {
                // Out of descriptors, for one. The clients that are there are served on.
                onFailure(failure);
                await Task.Delay(TimeSpan.FromMilliseconds(100), time, CancellationToken.None).ConfigureAwait(false);
                continue;
            }

            lock (_lock)
            {
                if (_serving.Count >= connections)
                {
                    client.Dispose();
                    continue;
                }

                var serving = Task.Run(() => serve(client, _stop.Token), CancellationToken.None);
                _serving.Add(serving);
                _ = serving.ContinueWith(Forget, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
        }
    }

    private void Forget(Task serving)
    {
        lock (_lock)
            _serving.Remove(serving);
    }
}
