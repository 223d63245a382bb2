using System.Text.Json.Nodes;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.Az;

/// <summary>Roles by the unmodified az 2.74 of Debian 13 (the role commands of Debian 12 do not fit its libraries), the activity log by 2.45 of Debian 12 (the reverse).</summary>
public sealed class AzRoleTests : IDisposable
{
    private const string Principal = "0c0ffee0-0000-4000-8000-000000000001";
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 600_000)]
    public async Task Roles_are_found_assigned_listed_and_deleted()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        using var program = await AzProgram.OfDebian13Async(cancellationToken);
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), _folder.Path, cancellationToken);
        var az = await AzCli.SignInAsync(program, server, cancellationToken);
        var lab = Lab.Of(server);
        using var client = await ArmClient.SignInAsync(server, cancellationToken);
        await client.ChangeAsync(HttpMethod.Put, lab.GroupUrl, new JsonObject { ["location"] = "home" }, cancellationToken);
        var scope = lab.GroupUrl.Split('?')[0];

        var role = Assert.Single(Assert.IsType<JsonArray>(await az.RunAsync(["role", "definition", "list", "--name", "Backup Reader"], cancellationToken)))!;
        Assert.Equal("a795c7a0-d4a2-40c1-ae25-d81f01202912", (string?)role["name"]);
        var made = await az.RunAsync(
            ["role", "assignment", "create", "--assignee-object-id", Principal, "--assignee-principal-type", "ServicePrincipal", "--role", "Backup Reader", "--scope", scope], cancellationToken);
        Assert.Equal((Principal, scope), ((string?)made!["principalId"], (string?)made["scope"]));
        var listed = await az.ListAsync($"role assignment list --scope {scope}", cancellationToken);
        Assert.Contains(listed, a => (string?)a["id"] == (string?)made["id"]);
        await az.RunAsync($"role assignment delete --ids {made["id"]}", cancellationToken);
        Assert.DoesNotContain(await az.ListAsync($"role assignment list --scope {scope}", cancellationToken), a => (string?)a["id"] == (string?)made["id"]);
    }

    [Fact(Timeout = 600_000)]
    public async Task The_activity_log_lists_who_changed_what()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        using var program = AzProgram.OfThisMachine();
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), _folder.Path, cancellationToken);
        var az = await AzCli.SignInAsync(program, server, cancellationToken);
        using var client = await ArmClient.SignInAsync(server, cancellationToken);
        await client.ChangeAsync(HttpMethod.Put, Lab.Of(server).GroupUrl, new JsonObject { ["location"] = "home" }, cancellationToken);

        var entry = Assert.Single(await az.ListAsync("monitor activity-log list --offset 1h --resource-group lab", cancellationToken));

        Assert.Equal(("Microsoft.Resources/subscriptions/resourceGroups/write", server.Admin.ClientId), ((string?)entry["operationName"]!["value"], (string?)entry["caller"]));
    }
}
