using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Strongroom.Blocks.Nbd;

namespace Strongroom.Blocks.Tests.Nbd;

/// <summary>An NBD server of another project, ended with the test.</summary>
internal sealed class PeerServer : IAsyncDisposable
{
    private readonly Process _process;

    private PeerServer(Process process, NbdAddress address)
    {
        _process = process;
        Address = address;
    }

    public NbdAddress Address { get; }

    public int ProcessId => _process.Id;

    /// <summary>Starts it and waits until it greets: qemu-nbd listens before it has opened its image, but greets only afterwards.</summary>
    public static async Task<PeerServer> OnSocketAsync(string socket, string program, params string[] arguments)
    {
        Programs.RequirePeer(program);
        var server = new PeerServer(Process.Start(program, arguments), NbdAddress.Unix(socket));
        await server.WaitAsync(() => new UnixDomainSocketEndPoint(socket));
        return server;
    }

    /// <param name="arguments">What the program is called with for a port.</param>
    public static async Task<PeerServer> OnPortAsync(string program, Func<int, string[]> arguments)
    {
        Programs.RequirePeer(program);
        var port = FreePorts.Take();
        var server = new PeerServer(Process.Start(program, arguments(port)), NbdAddress.Tcp("127.0.0.1", port));
        await server.WaitAsync(() => new IPEndPoint(IPAddress.Loopback, port));
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    private async Task WaitAsync(Func<EndPoint> endPoint)
    {
        while (true)
        {
            Assert.False(_process.HasExited, "The server ended before it served.");
            try
            {
                var target = endPoint();
                using var socket = new Socket(target.AddressFamily, SocketType.Stream, target.AddressFamily == AddressFamily.Unix ? ProtocolType.Unspecified : ProtocolType.Tcp);
                await socket.ConnectAsync(target);
                if (await socket.ReceiveAsync(new byte[8]) > 0)
                    return;
            }
            catch (SocketException)
            {
                await Task.Delay(10);
            }
        }
    }
}
