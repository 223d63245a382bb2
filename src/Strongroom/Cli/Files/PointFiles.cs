using System.Text;
using System.Text.Json.Nodes;
using Strongroom.Cli.Store;
using Strongroom.Client;

namespace Strongroom.Cli.Files;

/// <summary>The files of one recovery point, over HTTPS.</summary>
internal sealed class PointFiles : IDisposable
{
    private const string Version = "api-version=2024-04-01";

    // The first look at a recovery point starts a small virtual machine, and the very first makes it.
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(6);

    private readonly HttpClient _http;
    private readonly ArmClient _arm;
    private readonly Uri _endpoint;
    private readonly string _path;

    private PointFiles(HttpClient http, ArmClient arm, Uri endpoint, string path, string point) => (_http, _arm, _endpoint, _path, Name) = (http, arm, endpoint, path, point);

    /// <summary>The recovery point.</summary>
    public string Name { get; }

    /// <summary>Signs in and finds the recovery point.</summary>
    /// <exception cref="ArmRequestException">The server refuses.</exception>
    /// <exception cref="ClientException">Something that was named is not there, or the server cannot be understood.</exception>
    public static async Task<PointFiles> OpenAsync(ServerAccess access, PointChoice choice, TimeProvider time, CancellationToken cancellationToken)
    {
        var http = access.CaFile is { } file ? TrustedConnection.Create(file) : TrustedConnection.Create();
        try
        {
            var arm = new ArmClient(http, access.Endpoint, new AccessTokens(http, access, time).GetAsync, time, s_limit);
            var subscription = choice.Subscription ?? (await arm.ListAsync("/subscriptions?api-version=2022-12-01", cancellationToken)).Select(static s => s.Text("subscriptionId")).FirstOrDefault()
                ?? throw new ClientException("The server shows no subscription.");
            var vault = $"/subscriptions/{Segment(subscription)}/resourceGroups/{Segment(choice.Group)}/providers/Microsoft.RecoveryServices/vaults/{Segment(choice.Vault)}";
            var item = Find(await arm.ListAsync($"{vault}/backupProtectedItems?{Version}", cancellationToken), choice);
            var point = choice.Point ?? await NewestAsync(arm, item, choice.Item, cancellationToken);
            var path = $"{item.Replace("/Microsoft.RecoveryServices/", "/Strongroom.RecoveryServices/", StringComparison.OrdinalIgnoreCase)}/recoveryPoints/{Segment(point)}/files";
            return new(http, arm, access.Endpoint, path, point);
        }
        catch
        {
            http.Dispose();
            throw;
        }
    }

    /// <summary>All that a folder holds.</summary>
    public Task<IReadOnlyList<JsonNode>> ListAsync(string encodedPath, CancellationToken cancellationToken) =>
        _arm.ListAsync($"{_path}?{Version}&path={encodedPath}", cancellationToken);

    /// <summary>Whether there may be entries below a path.</summary>
    /// <exception cref="ArmRequestException">There is nothing, or a volume that cannot be read.</exception>
    public async Task<bool> IsFolderAsync(string encodedPath, CancellationToken cancellationToken)
    {
        try
        {
            await _arm.GetAsync($"{_path}?{Version}&path={encodedPath}&$top=1", cancellationToken);
            return true;
        }
        catch (ArmRequestException refused) when (refused.Code == "NotADirectory")
        {
            return false;
        }
    }

    /// <summary>What stands at a path. The caller disposes the answer, whose body is still to come.</summary>
    /// <param name="format">Null: a file as it is; else <c>tar</c> or <c>zip</c>.</param>
    public Task<HttpResponseMessage> DownloadAsync(string encodedPath, string? format, CancellationToken cancellationToken) =>
        _arm.DownloadAsync(new Uri(_endpoint, $"{_path}/download?{Version}&path={encodedPath}{(format is null ? "" : "&format=" + format)}").AbsoluteUri, cancellationToken);

    public void Dispose() => _http.Dispose();

    /// <summary>A path as people type it, ready for a query; with <paramref name="isEncoded"/> it is already.</summary>
    /// <exception cref="UsageException">It does not begin with a slash.</exception>
    public static string Encode(string path, bool isEncoded)
    {
        if (!path.StartsWith('/')) throw new UsageException($"A path begins with '/' (and, of a machine, a volume, such as /disk0-part1/etc), not '{Shown.Text(path)}'.");
        // The server takes a plus sign for a space, as in forms.
        return isEncoded ? path.Replace("+", "%2B", StringComparison.Ordinal) : string.Join('/', path.Split('/').Select(static name => Backup.FileRecovery.Browsing.FilePath.Encode(Encoding.UTF8.GetBytes(name))));
    }

    private static string Segment(string name) => Uri.EscapeDataString(name);

    private static string Find(IReadOnlyList<JsonNode> items, PointChoice choice)
    {
        var found = items.Where(i => Same(i.Text("properties", "friendlyName"), choice.Item) || Same(i.Text("name"), choice.Item)).Select(static i => i.RequireText("the item's id", "id")).ToArray();
        return found switch
        {
            [var item] => item,
            [] => throw new ClientException($"'{choice.Item}' is not protected in vault '{choice.Vault}'."),
            _ => throw new ClientException($"'{choice.Item}' is the name of {found.Length} items. Give the item's own name: {string.Join(", ", found.Select(static f => f.Split('/')[^1]))}."),
        };
    }

    private static bool Same(string? one, string other) => string.Equals(one, other, StringComparison.OrdinalIgnoreCase);

    private static async Task<string> NewestAsync(ArmClient arm, string item, string name, CancellationToken cancellationToken)
    {
        // Newest first; one whose disks are on their way is not in the vault yet. Points of shares are not told of with tiers.
        var points = await arm.ListAsync($"{item}/recoveryPoints?{Version}", cancellationToken);
        return points.FirstOrDefault(static p => p.Text("properties", "objectType") == "AzureFileShareRecoveryPoint" || p.Items("properties", "recoveryPointTierDetails").Any(static t => t.Text("type") == "HardenedRP" && t.Text("status") == "Valid"))?.Text("name")
            ?? throw new ClientException($"'{name}' has no recovery point in the vault yet.");
    }
}
