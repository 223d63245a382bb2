using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Strongroom.Clients.Disks;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.BadInput;

/// <summary>One server with a protected machine, shared by the tests of bad input: none of them may change it.</summary>
public sealed class BadInputLab : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private ServerProcess _server = null!;
    private ArmClient _client = null!;
    private ArmClient _stranger = null!;

    internal Lab Lab { get; private set; } = null!;

    internal IReadOnlyList<Endpoint> Endpoints { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var hostFolder = _folder.Combine("machines");
        SampleMachine.Create(hostFolder, "web1", seed: 31, 1);
        _server = await ServerProcess.StartAsync(_folder.Combine("data"), hostFolder, cancellationToken);
        _client = await ArmClient.SignInAsync(_server, cancellationToken);
        _stranger = ArmClient.Anonymous(_server);
        Lab = Lab.Of(_server);
        Endpoints = Endpoint.All(Lab, hostFolder);
        await LabSetUp.ProtectAsync(_client, Lab, hostFolder, "restores1", cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _stranger?.Dispose();
        _client?.Dispose();
        if (_server is not null)
            await _server.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>Sends a request and returns what is wrong with the refusal, or null when it is a proper one.</summary>
    internal async Task<string?> RefusalProblemAsync(Probe probe, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(probe.Method, new Uri(
            _server.Endpoint.GetLeftPart(UriPartial.Authority) + probe.PathAndQuery, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        if (probe.Body is not null)
        {
            request.Content = new StringContent(probe.Body, Encoding.UTF8, "application/json");
            request.Headers.ExpectContinue = probe.Body.Length > 1024 * 1024;
        }
        if (probe.Token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", probe.Token);
        using var answer = await (probe.IsSignedIn ? _client : _stranger).SendAsync(request, cancellationToken);
        var status = (int)answer.StatusCode;
        var text = await answer.Content.ReadAsStringAsync(cancellationToken);
        var described = $"{probe.Method} {Shorten(probe.PathAndQuery)} {Shorten(probe.Body)} answered {status} {Shorten(text)}";
        if (probe.MayBeDone && status == 204)
            return null;
        if (probe.MayBeRead && status == 200 && probe.Method == HttpMethod.Get)
            return answer.Content.Headers.ContentType?.MediaType == "application/json" ? null : described + " (not JSON)";
        if (!probe.Statuses.Contains(status))
            return described;
        if (status == 401 && answer.Headers.WwwAuthenticate.Count == 0)
            return described + " (no WWW-Authenticate)";
        if (probe.MayBeEmpty && text.Length == 0)
            return null;
        return IsErrorEnvelope(answer, text) ? null : described + " (not an error envelope)";
    }

    /// <summary>What exists, as text: two equal texts mean that nothing was made, removed or renamed.</summary>
    internal async Task<string> StateAsync(CancellationToken cancellationToken)
    {
        var group = Lab.GroupPath;
        string[] lists =
        [
            $"/subscriptions/{Lab.SubscriptionId}/resourceGroups?api-version=2021-04-01",
            $"{group}/providers/Strongroom.Fabric/hosts?api-version={Lab.FabricVersion}",
            $"{group}/providers/Microsoft.Storage/storageAccounts?api-version={Lab.StorageVersion}",
            $"/subscriptions/{Lab.SubscriptionId}/providers/Microsoft.RecoveryServices/vaults?api-version={Lab.BackupVersion}",
            Lab.VaultUrl("backupPolicies"),
            Lab.VaultUrl("backupProtectedItems"),
            Lab.VaultUrl("backupProtectionContainers"),
            Lab.VaultUrl("backupJobs"),
        ];
        var state = new StringBuilder();
        foreach (var list in lists)
            foreach (var resource in await _client.ListAsync(list, cancellationToken))
                state.Append(resource["id"]).Append(' ').Append(resource["etag"]).Append(' ').Append(resource["tags"]?.ToJsonString()).AppendLine();
        return state.ToString();
    }

    private static bool IsErrorEnvelope(HttpResponseMessage answer, string text)
    {
        if (answer.Content.Headers.ContentType?.MediaType != "application/json")
            return false;
        try
        {
            var error = JsonNode.Parse(text)?["error"];
            return error?["code"]?.GetValue<string>() is { Length: > 0 } && error["message"]?.GetValue<string>() is { Length: > 0 };
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    private static string Shorten(string? text) => text is null ? "" : text.Length <= 400 ? text : text[..400] + "...";
}

/// <summary>A request that has to be refused.</summary>
internal sealed record Probe(HttpMethod Method, string PathAndQuery, params int[] Statuses)
{
    public string? Body { get; init; }

    /// <summary>Sent as a bearer token in place of the lab's own.</summary>
    public string? Token { get; init; }

    public bool IsSignedIn { get; init; } = true;

    /// <summary>Whether 204 is as good as a refusal: nothing was there to remove.</summary>
    public bool MayBeDone { get; init; }

    /// <summary>Whether a GET may succeed, with JSON: the path is another one of the API.</summary>
    public bool MayBeRead { get; init; }

    /// <summary>Whether the refusal may come without a body.</summary>
    public bool MayBeEmpty { get; init; }
}
