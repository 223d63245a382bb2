using System.Net.Sockets;

namespace Strongroom.Blocks.Nbd;

/// <summary>Opens connections to NBD servers: the one place that knows of sockets and TLS.</summary>
internal static class NbdConnector
{
    /// <summary>Connects, greets, starts TLS where the address says so, and negotiates.</summary>
    /// <param name="negotiate">Goes on from there; when it returns, the wire is its own.</param>
    /// <exception cref="IOException">No connection, no NBD server, no TLS where it is demanded, a refusal, or no answer in time.</exception>
    public static async Task<T> RunAsync<T>(NbdAddress address, NbdClientOptions options, Func<NbdOptionChannel, Task<T>> negotiate, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(options.ConnectTimeout, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        Stream? stream = null;
        try
        {
            stream = await ConnectAsync(address, either.Token).ConfigureAwait(false);
            var channel = new NbdOptionChannel(new BufferedWire(stream), either.Token);
            await channel.GreetAsync().ConfigureAwait(false);
            if (address.Tls is { } tls)
            {
                await channel.StartTlsAsync().ConfigureAwait(false);
                stream = await NbdTls.AuthenticateAsync(stream, address, tls, either.Token).ConfigureAwait(false);
                channel = new NbdOptionChannel(new BufferedWire(stream), either.Token);
            }

            return await negotiate(channel).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            if (stream is not null)
                await stream.DisposeAsync().ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            throw exception switch
            {
                OperationCanceledException => new IOException($"The NBD server at {address} did not answer within {options.ConnectTimeout.TotalSeconds} s.", exception),
                SocketException => new IOException($"Cannot connect to the NBD server at {address}: {exception.Message}", exception),
                IOException => new IOException($"Cannot use the NBD server at {address}: {exception.Message}", exception),
                _ => exception,
            };
        }
    }

    private static async Task<Stream> ConnectAsync(NbdAddress address, CancellationToken cancellationToken)
    {
        var socket = address.EndPoint is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address.EndPoint, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
