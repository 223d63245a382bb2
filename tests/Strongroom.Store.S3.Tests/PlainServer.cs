using System.Globalization;
using Strongroom.Store.Tests.Servers;

namespace Strongroom.Store.S3.Tests;

/// <summary>An S3 server that knows nothing of conditions: s3rver from npm (<c>npm ci</c> in the folder <c>node</c>).</summary>
public sealed class PlainServer : IAsyncLifetime
{
    /// <summary>The only credentials it knows.</summary>
    public const string Credential = "S3RVER";
    private LocalServer? server;

    /// <summary>Where it listens; ends the test when it is missing.</summary>
    public Uri Endpoint
    {
        get
        {
            if (field is null)
                LocalServer.Missing("s3rver is not installed: run npm ci in tests/Strongroom.Store.S3.Tests/node.");
            return field!;
        }

        private set;
    }

    public async ValueTask InitializeAsync()
    {
        var program = Path.Combine(LocalServer.Root, "tests", "Strongroom.Store.S3.Tests", "node", "node_modules", ".bin", "s3rver");
        if (LocalServer.Find("node") is null || !File.Exists(program))
            return;
        server = new LocalServer();
        var port = FreePorts.Take();
        server.Start(program, "--address", "127.0.0.1", "--port", port.ToString(CultureInfo.InvariantCulture), "--directory", server.Folder, "--silent");
        await server.WaitForAsync(port);
        Endpoint = new($"http://127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}");
    }

    public ValueTask DisposeAsync() => server?.DisposeAsync() ?? default;
}
