using System.Text.Json.Nodes;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Arm;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.Access;

/// <summary>A restore writes to what its body names: the caller needs a role there too, and a validation tells so before.</summary>
public sealed class RestoreRoleTests : IAsyncLifetime
{
    private const string Machines = "/providers/Microsoft.Compute/virtualMachines/";
    private const string Network = GuardedHost.Office + "/providers/Microsoft.Network/virtualNetworks/n1";
    private GuardedHost _host = null!;
    private ProtectedMachine _web1 = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await GuardedHost.StartAsync();
        _web1 = new ProtectedMachine(_host.Host, _host.Host.Fabric.Add("web1"));
        Assert.Equal(201, (await _host.SendAsync(Tokens.Administrator, "PUT", BackupHost.Vault, """{"location":"home","sku":{"name":"RS0"},"properties":{}}""")).Status);
        Assert.Equal(202, (await _host.SendAsync(Tokens.Administrator, "PUT", _web1.Item, _web1.EnableBody())).Status);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [InlineData("""{"recoveryType":"RestoreDisks"}""", false, "Microsoft.Storage/storageAccounts/write")]
    [InlineData("""{"recoveryType":"RestoreDisks","targetResourceGroupId":"{office}"}""", true, "Microsoft.Compute/disks/write")]
    [InlineData("""{"recoveryType":"RestoreDisks","subnetId":"{network}/subnets/s1"}""", true, "Microsoft.Network/virtualNetworks/subnets/join/action")]
    [InlineData("""{"recoveryType":"AlternateLocation","targetVirtualMachineId":"{machine}"}""", true, "Microsoft.Compute/virtualMachines/write")]
    [InlineData("""{"recoveryType":"OriginalLocation"}""", true, "Microsoft.Compute/virtualMachines/write")]
    public async Task A_restore_takes_a_role_over_what_it_writes_to(string change, bool hasAccount, string action)
    {
        Guid principal = await _host.PrincipalAsync(BuiltInRoles.BackupOperator, BackupHost.Vault);
        if (hasAccount) Assert.Equal(201, (await _host.AssignAsync(Tokens.Administrator, principal, BuiltInRoles.Contributor, _web1.Account)).Status);
        foreach (bool isDryRun in new[] { true, false })
        {
            Answer refused = await RestoreAsync(principal, change, isDryRun);
            Assert.Equal((isDryRun, 403, "LinkedAuthorizationFailed"), (isDryRun, refused.Status, refused.Code));
            Assert.Contains($"'{action}'", refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task With_the_roles_a_restore_is_asked_of_the_recovery_point()
    {
        Guid principal = await _host.PrincipalAsync(BuiltInRoles.BackupOperator, BackupHost.Vault);
        Assert.Equal(201, (await _host.AssignAsync(Tokens.Administrator, principal, BuiltInRoles.Contributor, _web1.Account)).Status);
        Assert.Equal((404, "BMSUserErrorRecoveryPointNotFound"), Outcome(await RestoreAsync(principal, """{"recoveryType":"RestoreDisks"}""", isDryRun: false)));
        Assert.Equal(201, (await _host.AssignAsync(Tokens.Administrator, principal, BuiltInRoles.Contributor, _web1.Machine.ResourceId)).Status);
        Assert.Equal((404, "BMSUserErrorRecoveryPointNotFound"), Outcome(await RestoreAsync(principal, """{"recoveryType":"OriginalLocation"}""", isDryRun: false)));
    }

    private Task<Answer> RestoreAsync(Guid principal, string change, bool isDryRun)
    {
        var body = (JsonObject)JsonNode.Parse(_web1.RestoreBody("123"))!;
        string filled = change.Replace("{office}", GuardedHost.Office, StringComparison.Ordinal).Replace("{network}", Network, StringComparison.Ordinal)
            .Replace("{machine}", GuardedHost.Office + Machines + "web2", StringComparison.Ordinal);
        foreach ((string name, JsonNode? value) in (JsonObject)JsonNode.Parse(filled)!) body["properties"]![name] = value?.DeepClone();
        string point = _web1.Item + "/recoveryPoints/123";
        if (!isDryRun) return _host.SendAsync(principal, "POST", point + "/restore", body.ToJsonString());
        var validation = new JsonObject
        {
            ["id"] = point,
            ["properties"] = new JsonObject { ["objectType"] = "ValidateIaasVMRestoreOperationRequest", ["restoreRequest"] = body["properties"]!.DeepClone() },
        };
        return _host.SendAsync(principal, "POST", BackupHost.Vault + "/backupValidateOperation", validation.ToJsonString());
    }

    private static (int, string?) Outcome(Answer answer) => (answer.Status, answer.Code);
}
