using System.Net;
using System.Net.Sockets;

namespace Strongroom.Tests;

/// <summary>Ports of 127.0.0.1 for servers that must be told theirs.</summary>
internal static class FreePorts
{
    // Below those that Linux gives to connections and to whoever asks for any: none of these is taken between the choice and the server's start.
    private const int First = 20_000, Count = 12_000;

    /// <summary>One that nobody listens on now.</summary>
    public static int Take()
    {
        while (true)
        {
            var port = First + Random.Shared.Next(Count);
            using var listener = new TcpListener(IPAddress.Loopback, port);
            try
            {
                listener.Start();
                return port;
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
            }
        }
    }
}
