using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Arm;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.Access;

/// <summary>Who may have recovery points booted, and where.</summary>
public sealed class RestoreVerificationRoleTests
{
    private const string Option = BackupHost.Vault + "/backupPolicies/DefaultPolicy/providers/Strongroom.RecoveryServices/restoreVerifications/default";
    private const string Host = BackupHost.Lab + "/providers/Strongroom.Fabric/hosts/nas";

    [Fact]
    public async Task Whoever_writes_policies_has_points_verified_and_names_a_host_only_that_they_may_change()
    {
        await using GuardedHost host = await GuardedHost.StartAsync();
        Assert.Equal(201, (await host.SendAsync(Tokens.Administrator, "PUT", BackupHost.Vault, """{"location":"home","sku":{"name":"RS0"},"properties":{}}""")).Status);
        Guid reader = await host.PrincipalAsync(BuiltInRoles.BackupReader, BackupHost.Vault);
        Guid operatorOfBackups = await host.PrincipalAsync(BuiltInRoles.BackupOperator, BackupHost.Vault);
        Guid contributor = await host.PrincipalAsync(BuiltInRoles.BackupContributor, BackupHost.Vault);
        const string Plain = """{"properties":{"isEnabled":true}}""";
        const string Elsewhere = $$$"""{"properties":{"isEnabled":true,"hostId":"{{{Host}}}"}}""";

        Assert.Equal((403, "AuthorizationFailed"), Outcome(await host.SendAsync(reader, "PUT", Option, Plain)));
        Assert.Equal((403, "AuthorizationFailed"), Outcome(await host.SendAsync(operatorOfBackups, "PUT", Option, Plain)));
        Assert.Equal(201, (await host.SendAsync(contributor, "PUT", Option, Plain)).Status);
        Assert.Equal((403, "LinkedAuthorizationFailed"), Outcome(await host.SendAsync(contributor, "PUT", Option, Elsewhere)));
        Assert.Equal(200, (await host.SendAsync(Tokens.Administrator, "PUT", Option, Elsewhere)).Status);
        Assert.Equal(200, (await host.GetAsync(reader, Option)).Status);
        Assert.Equal((403, "AuthorizationFailed"), Outcome(await host.SendAsync(operatorOfBackups, "DELETE", Option, "")));
        Assert.Equal(200, (await host.SendAsync(contributor, "DELETE", Option, "")).Status);

        // The picture of a console is for those who may look into a backup.
        const string Result = BackupHost.Vault + "/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;lab;web1/protectedItems/VM;iaasvmcontainerv2;lab;web1/recoveryPoints/1/providers/Strongroom.RecoveryServices/verifications/default";
        Assert.Equal(404, (await host.GetAsync(reader, Result)).Status);
        Assert.Equal((403, "AuthorizationFailed"), Outcome(await host.GetAsync(reader, Result + "/screenshot")));
        Assert.Equal(404, (await host.GetAsync(operatorOfBackups, Result + "/screenshot")).Status);
    }

    private static (int Status, string? Code) Outcome(Answer answer) => (answer.Status, answer.Code);
}
