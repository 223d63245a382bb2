using System.Globalization;
using Strongroom.Store.Tests.Servers;

namespace Strongroom.Store.AzureBlob.Tests;

/// <summary>Microsoft's own emulator of the Blob service, one for all tests; from npm (<c>npm ci</c> in the folder <c>node</c>).</summary>
public sealed class Azurite : IAsyncLifetime
{
    public const string Account = "strongroom";
    public const string Key = "c3Ryb25ncm9vbS10ZXN0LWtleQ==";
    private LocalServer? server;

    /// <summary>The Blob endpoint; ends the test when Azurite is missing.</summary>
    public Uri Endpoint
    {
        get
        {
            if (field is null)
                LocalServer.Missing("Azurite is not installed: run npm ci in tests/Strongroom.Store.AzureBlob.Tests/node.");
            return field!;
        }

        private set;
    }

    public string ConnectionString => $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};BlobEndpoint={Endpoint}";

    public async ValueTask InitializeAsync()
    {
        var program = Path.Combine(LocalServer.Root, "tests", "Strongroom.Store.AzureBlob.Tests", "node", "node_modules", ".bin", "azurite-blob");
        if (LocalServer.Find("node") is null || !File.Exists(program))
            return;
        server = new LocalServer();
        var port = FreePorts.Take();

        // Accounts of one's own come from the environment; --disableTelemetry: tests talk to nobody else.
        server.Start(
            "env", $"AZURITE_ACCOUNTS={Account}:{Key}", program, "--silent", "--disableTelemetry", "--skipApiVersionCheck",
            "--blobHost", "127.0.0.1", "--blobPort", port.ToString(CultureInfo.InvariantCulture), "--location", server.Folder);
        await server.WaitForAsync(port);
        Endpoint = new($"http://127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}/{Account}");
    }

    public ValueTask DisposeAsync() => server?.DisposeAsync() ?? default;
}
