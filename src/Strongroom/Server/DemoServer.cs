using System.Net;
using System.Net.Sockets;
using Strongroom.Demo;

namespace Strongroom.Server;

/// <summary>The real server, as <c>strongroom demo</c> starts it: on a free port of loopback, in the demo's folder.</summary>
internal sealed class DemoServer(StrongroomServer server, string machinesFolder) : IDemoServer
{
    public Uri Endpoint => server.Administrator.Endpoint;

    public string TenantId => server.Administrator.TenantId.ToString();

    public string SubscriptionId => server.Administrator.SubscriptionId.ToString();

    public string ClientId => server.Administrator.ClientId.ToString();

    public string ClientSecret => server.Administrator.ClientSecret;

    public string CaFile => server.Administrator.CaFile ?? throw new InvalidOperationException("The demo's server has its own authority.");

    public string MachinesFolder => machinesFolder;

    public static async Task<IDemoServer> StartAsync(DemoServerOptions demo, CancellationToken cancellationToken)
    {
        var options = new ServerOptions
        {
            DataFolder = demo.DataFolder,
            Listen = new Uri($"https://localhost:{FreePort()}"),
            AllowedPaths = [demo.MachinesFolder],
            RetryAfterSeconds = demo.RetryAfterSeconds,
            IsQuiet = true,
        };
        return new DemoServer(await StrongroomServer.StartAsync(options, cancellationToken), demo.MachinesFolder);
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    // The address is in the certificate's and the administrator's files before the server listens, so the port is chosen first.
    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
