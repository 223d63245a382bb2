using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Blocks.Tests.Iscsi;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices;

/// <summary>Mounts of recovery points as az and PowerShell ask for them, the script that they make of the answer, and the tunnel that it comes through.</summary>
public sealed class ItemLevelRecoveryTests : IAsyncLifetime
{
    private BackupHost _host = null!;
    private ProtectedMachine _web1 = null!;
    private string _point = null!;

    private string PointId => $"{_web1.Item}/recoveryPoints/{_point}";

    public async ValueTask InitializeAsync()
    {
        _host = await BackupHost.StartAsync();
        _web1 = await ProtectedMachine.ProtectAsync(_host);
        _point = await _web1.BackUpAsync();
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_point_is_mounted_and_its_script_carries_what_leads_to_its_disks()
    {
        Answer accepted = await ProvisionAsync();
        Assert.Equal(202, accepted.Status);
        Assert.NotNull(accepted.Header("Location"));
        // As az tracks it, and by both URLs.
        JsonNode operation = await OperationAsync(accepted);
        Assert.Equal("Succeeded", (string?)operation["status"]);
        Assert.Equal(operation.ToJsonString(), (await _host.FollowAsync(accepted.Header("Azure-AsyncOperation"))).Body!.ToJsonString());
        Assert.Equal(200, (await _host.FollowAsync(accepted.Header("Location"))).Status);
        Assert.Equal("OperationStatusProvisionILRExtendedInfo", (string?)operation["properties"]!["objectType"]);

        JsonNode script = Assert.Single(Scripts(operation))!;
        Assert.Equal(("Linux", ".py"), ((string?)script["osType"], (string?)script["scriptExtension"]));
        (string name, string password) = NameAndPassword(script);
        Assert.StartsWith("web1_1_home_", name, StringComparison.Ordinal);
        Assert.DoesNotContain(password, name, StringComparison.Ordinal);
        Assert.Equal(15, password.Length);
        string text = TextOf(script);
        Assert.Contains($"\nTargetPassword=\"{password}\"\n", text, StringComparison.Ordinal);
        Assert.Equal("web1", Value(text, "MachineName"));
        Assert.Equal(new Uri(_host.Authority).Port.ToString(System.Globalization.CultureInfo.InvariantCulture), Value(text, "TargetPortalPortNumber"));
        JsonArray disks = JsonNode.Parse(Value(text, "Disks").Replace("\\\"", "\"", StringComparison.Ordinal))!.AsArray();
        Assert.Equal(_web1.Machine.Disks.Length, disks.Count);
        Assert.Equal([0, 1], disks.Select(d => (int)d!["lun"]!));

        Assert.True(await IsMountedAsync());
        Assert.True((bool)(await _host.GetAsync(_web1.Item + "/recoveryPoints")).Value[0]!["properties"]!["isInstantIlrSessionActive"]!);
        Answer revoked = await _host.PostAsync(PointId + "/revokeInstantItemRecovery", "");
        Assert.Equal(202, revoked.Status);
        JsonNode end = await OperationAsync(revoked);
        Assert.Equal(("Succeeded", null), ((string?)end["status"], end["properties"]));
        Assert.False(await IsMountedAsync());
        // The script is invalid, so it is not handed out any more.
        Assert.Null((await OperationAsync(accepted))["properties"]);
    }

    [Fact]
    public async Task The_tunnel_leads_to_the_disks_until_the_point_is_revoked()
    {
        string text = TextOf(Scripts(await OperationAsync(await ProvisionAsync()))[0]!);
        using RawInitiator initiator = await TunnelAsync(text);
        RawPdu last = await initiator.LogInToAsync(Value(text, "TargetNodeAddress"), Value(text, "TargetUserName"), Value(text, "TargetPassword"));
        Assert.Equal(0u, last.Number(36) >> 16);
        byte[] disk = _host.Fabric.Content(_web1.Machine, -1);
        Assert.Equal(disk[..4096], (await initiator.RunAsync(Cdb.Read10(0, 8), 4096)).Data);
        Assert.Equal(_host.Fabric.Content(_web1.Machine, 0)[..512], (await initiator.RunAsync(Cdb.Read10(0, 1), 512, lun: 1)).Data);

        Assert.Equal(202, (await _host.PostAsync(PointId + "/revokeInstantItemRecovery", "")).Status);
        await initiator.RequireHangUpAsync();
        (_, string answer) = await UpgradeAsync(Value(text, "TargetPortalPath"), "Upgrade: iscsi\r\nConnection: Upgrade\r\n");
        Assert.StartsWith("HTTP/1.1 404", answer, StringComparison.Ordinal);
        Assert.Contains("ItemLevelRecoverySessionNotFound", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "426")]
    [InlineData("Upgrade: websocket\r\nConnection: Upgrade\r\n", "426")]
    public async Task The_tunnel_wants_to_be_upgraded(string headers, string status)
    {
        string text = TextOf(Scripts(await OperationAsync(await ProvisionAsync()))[0]!);
        (_, string answer) = await UpgradeAsync(Value(text, "TargetPortalPath"), headers);
        Assert.StartsWith("HTTP/1.1 " + status, answer, StringComparison.Ordinal);
        Assert.Contains("UpgradeRequired", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mount_can_be_renewed_and_ends_by_itself()
    {
        JsonNode first = Scripts(await OperationAsync(await ProvisionAsync()))[0]!;
        _host.Time.Advance(TimeSpan.FromHours(11));
        JsonNode renewed = Scripts(await OperationAsync(await ProvisionAsync(("renewExistingRegistration", true))))[0]!;
        Assert.Equal(NameAndPassword(first), NameAndPassword(renewed));
        JsonNode other = Scripts(await OperationAsync(await ProvisionAsync()))[0]!;
        Assert.NotEqual(NameAndPassword(first), NameAndPassword(other));
        _host.Time.Advance(TimeSpan.FromHours(11));
        Assert.True(await IsMountedAsync());
        _host.Time.Advance(TimeSpan.FromHours(1));
        Assert.False(await IsMountedAsync());
    }

    [Fact]
    public async Task A_machine_with_Windows_gets_a_script_by_its_URL_and_no_password_in_it()
    {
        var windows = new ProtectedMachine(_host, _host.Fabric.Add("win1", osType: "Windows"));
        Assert.Equal(202, (await _host.PutAsync(windows.Item, windows.EnableBody())).Status);
        string point = await windows.BackUpAsync();
        Answer accepted = await _host.PostAsync($"{windows.Item}/recoveryPoints/{point}/provisionInstantItemRecovery", """{"properties":{"objectType":"IaasVMILRRegistrationRequest"}}""");
        JsonArray scripts = Scripts(await OperationAsync(accepted));
        Assert.Equal(2, scripts.Count);
        Assert.All(scripts, script => Assert.Equal(("Windows", ".ps1"), ((string?)script!["osType"], (string?)script["scriptExtension"])));
        (_, string password) = NameAndPassword(scripts[1]!);
        Assert.Contains($"\n$TargetPassword=\"{password}\"\r\n", TextOf(scripts[0]!), StringComparison.Ordinal);

        string url = (string)scripts[1]!["url"]!;
        using HttpClient anonymous = new();
        string text = await anonymous.GetStringAsync(new Uri(url), TestContext.Current.CancellationToken);
        Assert.Contains("$TargetPassword=\"UserInput012345\"\r\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain(password, text, StringComparison.Ordinal);
        using HttpResponseMessage refused = await anonymous.GetAsync(new Uri(url[..^1] + (url[^1] == 'x' ? 'y' : 'x')), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Theory]
    [InlineData("""{}""", 400, "BMSUserErrorInvalidInput")]
    [InlineData("""{"properties":{}}""", 400, "BMSUserErrorInvalidInput")]
    [InlineData("""{"properties":{"objectType":"IaasVMRestoreRequest"}}""", 400, "BMSUserErrorInvalidInput")]
    [InlineData("""{"properties":{"objectType":"IaasVMILRRegistrationRequest","recoveryPointId":"1"}}""", 400, "BMSUserErrorInvalidInput")]
    [InlineData("""{"properties":{"objectType":"IaasVMILRRegistrationRequest","virtualMachineId":"/subscriptions/x"}}""", 400, "BMSUserErrorInvalidInput")]
    public async Task A_request_that_is_not_right_mounts_nothing(string body, int status, string code)
    {
        Answer refused = await _host.PostAsync(PointId + "/provisionInstantItemRecovery", body);
        Assert.Equal((status, code), (refused.Status, refused.Code));
        Assert.False(await IsMountedAsync());
    }

    [Theory]
    [InlineData("x$(id)")]
    [InlineData("a'b")]
    [InlineData("localhost:0")]
    public async Task A_host_that_no_script_could_connect_to_is_refused(string host)
    {
        Uri server = new(_host.Authority);
        using TcpClient client = new();
        await client.ConnectAsync(IPAddress.Loopback, server.Port, TestContext.Current.CancellationToken);
        const string Body = """{"properties":{"objectType":"IaasVMILRRegistrationRequest"}}""";
        string request = $"POST {PointId.Replace(" ", "%20", StringComparison.Ordinal)}/provisionInstantItemRecovery?api-version={BackupHost.Version} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {Body.Length}\r\n\r\n{Body}";
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), TestContext.Current.CancellationToken);
        using StreamReader reader = new(client.GetStream());
        Assert.StartsWith("HTTP/1.1 400", await reader.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.False(await IsMountedAsync());
    }

    [Fact]
    public async Task What_is_not_there_cannot_be_mounted_or_revoked()
    {
        const string Body = """{"properties":{"objectType":"IaasVMILRRegistrationRequest","initiatorName":"Hello World"}}""";
        Assert.Equal((404, "BMSUserErrorRecoveryPointNotFound"), Outcome(await _host.PostAsync($"{_web1.Item}/recoveryPoints/1/provisionInstantItemRecovery", Body)));
        Assert.Equal((404, "BMSUserErrorRecoveryPointNotFound"), Outcome(await _host.PostAsync($"{_web1.Item}/recoveryPoints/1/revokeInstantItemRecovery", "")));
        string other = _web1.Item.Replace("web1", "web2", StringComparison.Ordinal);
        Assert.Equal((404, "BMSUserErrorDataSourceObjectNotFound"), Outcome(await _host.PostAsync($"{other}/recoveryPoints/{_point}/provisionInstantItemRecovery", Body)));
        // A text that is no initiator's name binds nobody.
        Assert.Equal(202, (await _host.PostAsync(PointId + "/provisionInstantItemRecovery", Body)).Status);
        Assert.Equal(202, (await _host.PostAsync(PointId + "/revokeInstantItemRecovery", "")).Status);
        Assert.Equal(202, (await _host.PostAsync(PointId + "/revokeInstantItemRecovery", "")).Status);
    }

    private static (int Status, string? Code) Outcome(Answer answer) => (answer.Status, answer.Code);

    private Task<Answer> ProvisionAsync(params (string Name, JsonNode Value)[] more)
    {
        JsonObject properties = new() { ["objectType"] = "IaasVMILRRegistrationRequest", ["recoveryPointId"] = _point, ["virtualMachineId"] = _web1.Machine.ResourceId };
        foreach ((string name, JsonNode value) in more) properties[name] = value;
        return _host.PostAsync(PointId + "/provisionInstantItemRecovery", new JsonObject { ["properties"] = properties }.ToJsonString());
    }

    private async Task<JsonNode> OperationAsync(Answer accepted) => (await _host.GetAsync($"{BackupHost.Vault}/backupOperations/{ProtectedMachine.OperationOf(accepted)}")).Body!;

    private async Task<bool> IsMountedAsync() => (bool)(await _host.GetAsync(PointId)).Body!["properties"]!["isInstantIlrSessionActive"]!;

    private static JsonArray Scripts(JsonNode operation) => operation["properties"]!["recoveryTarget"]!["clientScripts"]!.AsArray();

    private static string TextOf(JsonNode script) => Encoding.UTF8.GetString(Convert.FromBase64String((string)script["scriptContent"]!));

    private static string Value(string text, string name)
    {
        string line = text.Split('\n').Single(l => l.StartsWith(name + "=\"", StringComparison.Ordinal));
        return line[(name.Length + 2)..^1];
    }

    /// <summary>As the service's documentation and az do it.</summary>
    private static (string Name, string Password) NameAndPassword(JsonNode script)
    {
        string suffix = (string)script["scriptNameSuffix"]!;
        int at = suffix.LastIndexOf('_') + 33;
        return (suffix.Remove(at, 15), suffix.Substring(at, 15));
    }

    private async Task<RawInitiator> TunnelAsync(string text)
    {
        (NetworkStream stream, string answer) = await UpgradeAsync(Value(text, "TargetPortalPath"), "Connection: Upgrade\r\nUpgrade: iscsi\r\n");
        Assert.StartsWith("HTTP/1.1 101", answer, StringComparison.Ordinal);
        return new(stream);
    }

    /// <summary>Sends a request as the script does, and reads its answer: to the blank line, and on to the end where it is none of the tunnel's.</summary>
    private async Task<(NetworkStream Stream, string Answer)> UpgradeAsync(string path, string headers)
    {
        Uri server = new(_host.Authority);
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, server.Port, TestContext.Current.CancellationToken);
        NetworkStream stream = new(socket, ownsSocket: true);
        string close = headers.Contains("Connection", StringComparison.Ordinal) ? "" : "Connection: close\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {server.Authority}\r\n{headers}{close}\r\n"), TestContext.Current.CancellationToken);
        StringBuilder answer = new();
        byte[] one = new byte[1];
        while (!answer.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one, TestContext.Current.CancellationToken) == 1) answer.Append((char)one[0]);
        if (!answer.ToString().StartsWith("HTTP/1.1 101", StringComparison.Ordinal))
        {
            byte[] rest = new byte[4096];
            answer.Append(Encoding.UTF8.GetString(rest, 0, await stream.ReadAsync(rest, TestContext.Current.CancellationToken)));
        }

        return (stream, answer.ToString());
    }
}
