using System.Net.Sockets;
using Strongroom.Blocks.Raw;

namespace Strongroom.Blocks.Nbd.Server;

/// <summary>Serves one device over NBD on a Unix socket that only its owner may use.</summary>
/// <remarks>
/// Fixed newstyle negotiation, structured replies, base:allocation; several clients at once, each with many requests under way. What a
/// client does wrong closes its own connection and nothing else. Disposing closes all of them; the device is the caller's.
/// </remarks>
public sealed class NbdServer : IAsyncDisposable
{
    private const int LongestPathBytes = 107; // sun_path of unix(7), without its final zero

    private readonly ConnectionListener _listener;
    private readonly IBlockDevice _device;
    private readonly NbdServerOptions _options;
    private bool _isDisposed;

    private NbdServer(Socket listener, string path, IBlockDevice device, NbdServerOptions options)
    {
        _device = device;
        _options = options;
        SocketPath = path;
        _listener = new(listener, options.Connections, ServeAsync, options.OnFailure, options.Time);
        _listener.Start();
    }

    /// <summary>Where clients connect.</summary>
    public string SocketPath { get; }

    /// <summary>The address as NBD clients take it ("NBD URI specification").</summary>
    public string Uri => $"nbd+unix:///{System.Uri.EscapeDataString(_options.ExportName)}?socket={System.Uri.EscapeDataString(SocketPath).Replace("%2F", "/", StringComparison.Ordinal)}";

    /// <summary>Begins to listen. A socket that a dead server left behind is replaced.</summary>
    /// <exception cref="IOException">The path is taken or cannot be used.</exception>
    public static NbdServer Start(string socketPath, IBlockDevice device, NbdServerOptions options)
    {
        var path = Path.GetFullPath(socketPath);
        if (System.Text.Encoding.UTF8.GetByteCount(path) > LongestPathBytes)
            throw new IOException($"The socket's path '{path}' is longer than the {LongestPathBytes} bytes that the system allows.");
        RemoveStale(path);
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            listener.Bind(new UnixDomainSocketEndPoint(path));

            // Before it listens: until then nobody can connect.
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            listener.Listen();
            return new NbdServer(listener, path, device, options);
        }
        catch (SocketException failure)
        {
            listener.Dispose();
            throw new IOException($"Cannot listen on '{path}': {failure.Message}", failure);
        }
        catch
        {
            listener.Dispose();
            throw;
        }
    }

    /// <summary>Closes every connection; when it returns, nobody uses the device any more.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true))
            return;
        await _listener.DisposeAsync().ConfigureAwait(false);
        try { File.Delete(SocketPath); }
        catch (DirectoryNotFoundException) { /* Its folder has gone, and it with it. */ }
    }

    private static void RemoveStale(string path)
    {
        if (!File.Exists(path))
            return;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException failure) when (failure.SocketErrorCode == SocketError.ConnectionRefused && FileIdentity.IsSocketAt(path))
        {
            File.Delete(path);
            return;
        }
        catch (SocketException)
        {
            // Something else is there; it is not ours to remove.
        }

        throw new IOException($"Something is at '{path}' already: another server, or a file. Choose another path.");
    }

    private async Task ServeAsync(Socket client, CancellationToken stop)
    {
        await using var wire = new BufferedWire(new NetworkStream(client, ownsSocket: true));
        try
        {
            using var timeout = new CancellationTokenSource(_options.NegotiationTimeout, _options.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stop);
            if (await new NbdServerNegotiation(wire, _device, _options.ExportName, either.Token).RunAsync().ConfigureAwait(false) is not { } agreement)
                return;
            using var connection = new NbdServerConnection(wire, _device, agreement, _options);
            await connection.RunAsync(stop).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client left, broke the protocol or was too slow; or the server stops. Its connection ends here in any case.
        }
    }
}
