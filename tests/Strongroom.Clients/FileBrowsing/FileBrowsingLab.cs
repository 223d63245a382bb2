using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.FileBrowsing;

/// <summary>A server with one recovery point of a machine that has every kind of file system.</summary>
public sealed class FileBrowsingLab : IAsyncLifetime
{
    private ServerProcess? _server;
    private ArmClient? _client;

    internal TempFolder Folder { get; } = new();

    internal ServerProcess Server => _server!;

    internal ArmClient Client => _client!;

    internal Lab Names => Lab.Of(Server);

    internal string Point { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        Peer.RequireOrSkip("supermin", "libguestfs0");
        var host = Folder.Combine("host");
        Directory.CreateDirectory(Folder.Combine("scratch"));
        await SampleFileSystems.MakeAsync(Path.Combine(host, "web1"), Folder.Combine("scratch"), cancellationToken);
        _server = await ServerProcess.StartAsync(Folder.Combine("data"), Folder.Path, cancellationToken);
        _client = await ArmClient.SignInAsync(_server, cancellationToken);
        await LabSetUp.ProtectAsync(_client, Names, host, "account1", cancellationToken);
        Point = await LabSetUp.BackUpAsync(_client, Names, cancellationToken);
    }

    /// <summary>After the server has been started again.</summary>
    internal async Task ReconnectAsync()
    {
        _client?.Dispose();
        _client = await ArmClient.SignInAsync(Server, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        if (_server is { IsRunning: true }) await _server.StopAsync(CancellationToken.None);
        if (_server is not null) await _server.DisposeAsync();
        Folder.Dispose();
    }

    /// <param name="path">Percent-encoded, with what follows it in the query.</param>
    internal string FilesUrl(string path, string what = "files") => FilesUrl(Names, Point, path, what);

    internal static string FilesUrl(Lab names, string point, string path, string what) =>
        $"{names.ItemPath.Replace("Microsoft.RecoveryServices", "Strongroom.RecoveryServices", StringComparison.Ordinal)}/recoveryPoints/{point}/{what}?api-version=2024-04-01&path={path}";

    internal Task<IReadOnlyList<JsonNode>> ListAsync(string path) => Client.ListAsync(FilesUrl(path), TestContext.Current.CancellationToken);

    internal async Task<HttpResponseMessage> DownloadAsync(string path, RangeHeaderValue? range = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Server.Endpoint, FilesUrl(path, "files/download")));
        request.Headers.Range = range;
        return await Client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
