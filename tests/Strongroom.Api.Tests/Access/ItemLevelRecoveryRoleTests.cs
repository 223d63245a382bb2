using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Arm;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.Access;

/// <summary>Whoever has the script of a mount can read the machine's disks: it is for those who may mount, and for nobody who may only look.</summary>
public sealed class ItemLevelRecoveryRoleTests : IAsyncLifetime
{
    private GuardedHost _host = null!;
    private ProtectedMachine _web1 = null!;
    private string _point = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await GuardedHost.StartAsync();
        _web1 = new ProtectedMachine(_host.Host, _host.Host.Fabric.Add("web1"));
        Assert.Equal(201, (await AsAdministratorAsync("PUT", BackupHost.Vault, """{"location":"home","sku":{"name":"RS0"},"properties":{}}""")).Status);
        Assert.Equal(202, (await AsAdministratorAsync("PUT", _web1.Item, _web1.EnableBody())).Status);
        Assert.Equal(202, (await AsAdministratorAsync("POST", _web1.Item + "/backup", ProtectedMachine.BackupBody)).Status);
        string point = _web1.Item + "/recoveryPoints";
        Answer listed;
        // In the vault, which it is when the item has both tiers.
        while ((listed = await AsAdministratorAsync("GET", point)).Value.Count == 0 || listed.Value[0]!["properties"]!["recoveryPointTierDetails"]!.AsArray().Count < 2)
            await Task.Delay(20, TestContext.Current.CancellationToken);
        _point = point + "/" + (string?)listed.Value[0]!["name"];
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_reader_sees_that_a_point_is_mounted_and_does_not_get_the_script()
    {
        Guid reader = await _host.PrincipalAsync(BuiltInRoles.BackupReader, BackupHost.Vault);
        Guid operatorOfBackups = await _host.PrincipalAsync(BuiltInRoles.BackupOperator, BackupHost.Vault);
        const string Body = """{"properties":{"objectType":"IaasVMILRRegistrationRequest"}}""";
        Assert.Equal((403, "AuthorizationFailed"), Outcome(await _host.SendAsync(reader, "POST", _point + "/provisionInstantItemRecovery", Body)));
        Answer accepted = await _host.SendAsync(operatorOfBackups, "POST", _point + "/provisionInstantItemRecovery", Body);
        Assert.Equal(202, accepted.Status);
        string operation = $"{BackupHost.Vault}/backupOperations/{ProtectedMachine.OperationOf(accepted)}";

        Answer asOperator = await _host.GetAsync(operatorOfBackups, operation);
        Assert.NotNull(asOperator.Body!["properties"]!["recoveryTarget"]);
        Answer asReader = await _host.GetAsync(reader, operation);
        Assert.Equal((200, "Succeeded", null), (asReader.Status, (string?)asReader.Body!["status"], asReader.Body["properties"]));
        Assert.True((bool)(await _host.GetAsync(reader, _point)).Body!["properties"]!["isInstantIlrSessionActive"]!);

        Assert.Equal((403, "AuthorizationFailed"), Outcome(await _host.SendAsync(reader, "POST", _point + "/revokeInstantItemRecovery", "")));
        Assert.Equal(202, (await _host.SendAsync(operatorOfBackups, "POST", _point + "/revokeInstantItemRecovery", "")).Status);
    }

    private static (int Status, string? Code) Outcome(Answer answer) => (answer.Status, answer.Code);

    private Task<Answer> AsAdministratorAsync(string method, string path, string? body = null) => _host.SendAsync(Tokens.Administrator, method, path, body);
}
