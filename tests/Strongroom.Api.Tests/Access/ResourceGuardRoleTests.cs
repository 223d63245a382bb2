using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Arm;
using Strongroom.Backup.ResourceGuards;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.Access;

/// <summary>Two people: the vault's administrator, who has all rights over it, and the owner of the resource guard, in a group of its own.</summary>
public sealed class ResourceGuardRoleTests : IAsyncLifetime
{
    private const string Guard = GuardedHost.Office + "/providers/Microsoft.DataProtection/resourceGuards/guard1";
    private const string Proxy = BackupHost.Vault + "/backupResourceGuardProxies/VaultProxy";
    private const string Link = $$$"""{"properties":{"resourceGuardResourceId":"{{{Guard}}}"}}""";
    private const string Removal = $$$"""{"resourceGuardOperationRequests":["{{{Guard}}}/deleteResourceGuardProxyRequests/default"]}""";
    private const string Weaken = $$$"""{"properties":{"softDeleteFeatureState":"Disabled","resourceGuardOperationRequests":["{{{Guard}}}/disableSoftDeleteRequests/default"]}}""";

    private GuardedHost _host = null!;
    private Guid _backup;

    public async ValueTask InitializeAsync()
    {
        _host = await GuardedHost.StartAsync();
        _backup = await _host.PrincipalAsync(BuiltInRoles.Owner, BackupHost.Lab);
        Assert.Equal(201, (await _host.SendAsync(_backup, "PUT", BackupHost.Vault, """{"location":"home","sku":{"name":"RS0"},"properties":{}}""")).Status);
        Assert.Equal(200, (await _host.SendAsync(Tokens.Administrator, "PUT", Guard, """{"location":"home"}""")).Status);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Who_owns_the_vault_alone_can_put_it_under_a_guard_that_he_may_read_and_do_nothing_critical()
    {
        Answer unseen = await _host.SendAsync(_backup, "PUT", Proxy, Link);
        Assert.Equal((403, "LinkedAuthorizationFailed"), Outcome(unseen));
        Assert.Contains(Guard, unseen.Message, StringComparison.Ordinal);
        Assert.Equal((403, "LinkedAuthorizationFailed"), Outcome(await _host.SendAsync(_backup, "PUT", Proxy, Link.Replace("guard1", "none", StringComparison.Ordinal))));
        Assert.Equal((403, "LinkedAuthorizationFailed"),
            Outcome(await _host.SendAsync(_backup, "PUT", Proxy, Link.Replace(ArmHost.Subscription, "99999999-2222-3333-4444-555555555555", StringComparison.Ordinal))));

        await _host.AssignAsync(Tokens.Administrator, _backup, BuiltInRoles.Reader, Guard);
        Assert.Equal(200, (await _host.SendAsync(_backup, "PUT", Proxy, Link)).Status);
        Assert.Equal(200, (await _host.GetAsync(_backup, Guard + "/deleteProtectedItemRequests/default")).Status);

        await RefusedAsync(_backup);
        Assert.Equal((403, "AuthorizationFailed"), Outcome(await _host.SendAsync(_backup, "PUT", Guard, """{"location":"home"}""")));
        Assert.Equal((403, "AuthorizationFailed"), Outcome(await _host.SendAsync(_backup, "DELETE", Guard)));
    }

    [Fact]
    public async Task A_right_over_the_guard_opens_the_vault_while_it_lasts()
    {
        await _host.SendAsync(Tokens.Administrator, "PUT", Proxy, Link);
        Answer granted = await _host.AssignAsync(Tokens.Administrator, _backup, BuiltInRoles.BackupMuaOperator, Guard);
        // The right is not enough: the request must say what it uses it for.
        Assert.Equal((400, "BMSUserErrorInvalidInput"), Outcome(await ConfigureAsync(_backup, """{"properties":{"softDeleteFeatureState":"Disabled"}}""")));
        Assert.Equal(200, (await ConfigureAsync(_backup, Weaken)).Status);
        Assert.Equal(200, (await ConfigureAsync(_backup, """{"properties":{"softDeleteFeatureState":"Enabled"}}""")).Status);

        Assert.Equal(200, (await _host.SendAsync(Tokens.Administrator, "DELETE", (string)granted.Body!["id"]!)).Status);
        await RefusedAsync(_backup);
        // Nor is the right over the guard enough: it is no right over the vault.
        Guid stranger = await _host.PrincipalAsync(BuiltInRoles.BackupMuaOperator, Guard);
        Assert.Equal((403, "AuthorizationFailed"), Outcome(await ConfigureAsync(stranger, Weaken)));
        Assert.Equal((403, "AuthorizationFailed"), Outcome(await _host.SendAsync(stranger, "POST", Proxy + "/unlockDelete", Removal)));
    }

    [Fact]
    public async Task Which_published_roles_over_a_guard_allow_what()
    {
        (RoleDefinition Role, bool MayRead, bool MayWrite, bool MayAct)[] roles =
        [
            (BuiltInRoles.Reader, true, false, false),
            (BuiltInRoles.BackupMuaAdmin, true, true, false),
            (BuiltInRoles.BackupMuaOperator, true, false, true),
            (BuiltInRoles.Contributor, true, true, true),
            (BuiltInRoles.Owner, true, true, true),
            (BuiltInRoles.BackupContributor, false, false, false),
            (BuiltInRoles.BackupOperator, false, false, false),
            (BuiltInRoles.BackupReader, false, false, false),
            (BuiltInRoles.UserAccessAdministrator, true, false, false),
        ];
        await _host.SendAsync(Tokens.Administrator, "PUT", Proxy, Link);
        foreach ((RoleDefinition role, bool mayRead, bool mayWrite, bool mayAct) in roles)
        {
            Guid principal = await _host.PrincipalAsync(role, Guard);
            await _host.AssignAsync(Tokens.Administrator, principal, BuiltInRoles.Contributor, BackupHost.Vault);
            Assert.Equal((role.RoleName, mayRead ? 200 : 403), (role.RoleName, (await _host.GetAsync(principal, Guard)).Status));
            Assert.Equal((role.RoleName, mayRead ? 1 : 0), (role.RoleName, (await _host.GetAsync(principal, GuardedHost.Office + "/providers/Microsoft.DataProtection/resourceGuards")).Value.Count));
            Assert.Equal((role.RoleName, mayWrite ? 200 : 403), (role.RoleName, (await _host.SendAsync(principal, "PUT", Guard, """{"location":"home"}""")).Status));
            Assert.Equal((role.RoleName, mayAct ? 200 : 403), (role.RoleName, (await _host.SendAsync(principal, "POST", Proxy + "/unlockDelete", Removal)).Status));
            Assert.Equal((role.RoleName, mayAct ? 200 : 403), (role.RoleName, (await ConfigureAsync(principal, Weaken)).Status));
            await ConfigureAsync(principal, """{"properties":{"softDeleteFeatureState":"Enabled"}}""");
        }
    }

    [Fact]
    public async Task Whoever_may_change_the_vault_deletes_what_somebody_with_the_right_has_unlocked()
    {
        await _host.SendAsync(Tokens.Administrator, "PUT", Proxy, Link);
        Assert.Equal((400, "BMSUserErrorInvalidInput"), Outcome(await _host.SendAsync(_backup, "DELETE", Proxy)));
        Answer unlocked = await _host.SendAsync(Tokens.Administrator, "POST", Proxy + "/unlockDelete", Removal);
        Assert.Equal(200, unlocked.Status);
        _host.Host.Time.Advance(VaultGuard.UnlockedFor - TimeSpan.FromSeconds(1));
        Assert.Equal(200, (await _host.SendAsync(_backup, "DELETE", Proxy)).Status);
        Assert.Equal(200, (await ConfigureAsync(_backup, """{"properties":{"softDeleteFeatureState":"Disabled"}}""")).Status);
    }

    private async Task RefusedAsync(Guid principal)
    {
        Answer refused = await ConfigureAsync(principal, Weaken);
        Assert.Equal((403, "LinkedAuthorizationFailed"), Outcome(refused));
        Assert.Contains($"action 'Microsoft.DataProtection/resourceGuards/disableSoftDeleteRequests/action' on the linked scope '{Guard}/disableSoftDeleteRequests/default'", refused.Message, StringComparison.Ordinal);
        Assert.Equal((400, "BMSUserErrorInvalidInput"), Outcome(await ConfigureAsync(principal, """{"properties":{"softDeleteFeatureState":"Disabled"}}""")));
        Assert.Equal((403, "LinkedAuthorizationFailed"), Outcome(await _host.SendAsync(principal, "POST", Proxy + "/unlockDelete", Removal)));
        Assert.Equal((400, "BMSUserErrorInvalidInput"), Outcome(await _host.SendAsync(principal, "DELETE", Proxy)));
        Assert.Equal("Enabled", (string?)(await _host.GetAsync(principal, BackupHost.Vault + "/backupconfig/vaultconfig")).Body!["properties"]!["softDeleteFeatureState"]);
    }

    private Task<Answer> ConfigureAsync(Guid principal, string body) => _host.SendAsync(principal, "PATCH", BackupHost.Vault + "/backupconfig/vaultconfig", body);

    private static (int, string?) Outcome(Answer answer) => (answer.Status, answer.Code);
}
