using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Strongroom.Libvirt.Hosts;

/// <summary>A way to a port of 127.0.0.1 on which bytes can be lost, as on a network that fails: connections stay open, and nothing comes.</summary>
internal sealed class SilentProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentBag<Socket> _sockets = [];
    private readonly Task _accepting;
    private readonly int _target;
    private CancellationTokenSource _passing = new();
    private volatile bool _isSilent;

    public SilentProxy(int target)
    {
        _target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>From now on nothing passes, on connections there are and on new ones, which are accepted.</summary>
    public void FallSilent()
    {
        _isSilent = true;
        _passing.Cancel();
    }

    /// <summary>New connections pass again; those that fell silent stay so.</summary>
    public void Recover()
    {
        _passing = new();
        _isSilent = false;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting;
        foreach (var socket in _sockets) socket.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_end.Token);
                _sockets.Add(client);
                if (_isSilent) continue;
                var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
                _sockets.Add(server);
                await server.ConnectAsync(IPAddress.Loopback, _target, _end.Token);
                _ = PassAsync(client, server, _passing.Token);
                _ = PassAsync(server, client, _passing.Token);
            }
        }
        catch (Exception over) when (over is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private static async Task PassAsync(Socket from, Socket to, CancellationToken passing)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, passing) is > 0 and var count)
            {
                for (var sent = 0; sent < count;) sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), passing);
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception over) when (over is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }
}
