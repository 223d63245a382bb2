using System.Text.Json.Nodes;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Arm;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.Access;

/// <summary>Roles as clients see them: definitions, assignments, and what a role lets through.</summary>
public sealed class RoleTests : IAsyncLifetime
{
    private const string Definitions = BackupHost.Subscription + "/providers/Microsoft.Authorization/roleDefinitions";
    private const string Assignments = "/providers/Microsoft.Authorization/roleAssignments";
    private const string OfficeVault = GuardedHost.Office + "/providers/Microsoft.RecoveryServices/vaults/v2";
    private const string NewVault = """{"location":"home","sku":{"name":"RS0","tier":"Standard"},"properties":{}}""";

    private GuardedHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await GuardedHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_role_is_found_by_its_name_and_its_id()
    {
        Answer found = await _host.GetAsync(Tokens.Administrator, Definitions + "?$filter=roleName eq 'backup operator'", "2022-04-01");
        JsonNode role = Assert.Single(found.Value)!;
        Assert.Equal("00c29273-979b-4161-815c-10b084fb9324", (string?)role["name"]);
        Assert.Equal(("Backup Operator", "BuiltInRole"), ((string?)role["properties"]!["roleName"], (string?)role["properties"]!["type"]));
        Assert.Equal(role.ToJsonString(), (await _host.GetAsync(Tokens.Administrator, (string)role["id"]!, "2022-04-01")).Body!.ToJsonString());
        Assert.Equal(9, (await _host.GetAsync(Tokens.Administrator, Definitions)).Value.Count);
        Assert.Equal(9, (await _host.GetAsync(Guid.NewGuid(), "/providers/Microsoft.Authorization/roleDefinitions")).Value.Count);
        Assert.Equal((404, "RoleDefinitionDoesNotExist"), Outcome(await _host.GetAsync(Tokens.Administrator, $"{Definitions}/{Guid.NewGuid()}")));
        Assert.Equal((400, "InvalidFilterInQueryString"), Outcome(await _host.GetAsync(Tokens.Administrator, Definitions + "?$filter=colour eq 'red'")));
    }

    [Fact]
    public async Task What_is_granted_and_taken_away_holds_from_the_next_request_on()
    {
        var principal = Guid.NewGuid();
        Answer refused = await _host.GetAsync(principal, BackupHost.Lab);
        Assert.Equal((403, "AuthorizationFailed"), Outcome(refused));
        Assert.Contains($"'{Tokens.ClientOf(principal)}' with object id '{principal}'", refused.Message, StringComparison.Ordinal);
        Assert.Contains($"action 'Microsoft.Resources/subscriptions/resourceGroups/read' over scope '{BackupHost.Lab}'", refused.Message, StringComparison.Ordinal);

        Answer granted = await _host.AssignAsync(Tokens.Administrator, principal, BuiltInRoles.Reader, BackupHost.Lab);
        Assert.Equal(200, (await _host.GetAsync(principal, BackupHost.Lab)).Status);
        Assert.Equal(403, (await _host.GetAsync(principal, GuardedHost.Office)).Status);
        Assert.Equal((403, "AuthorizationFailed"), Outcome(await _host.SendAsync(principal, "PUT", BackupHost.Lab, """{"location":"home"}""")));

        Answer deleted = await _host.SendAsync(Tokens.Administrator, "DELETE", (string)granted.Body!["id"]!);
        Assert.Equal((200, granted.Body!["name"]!.ToString()), (deleted.Status, (string?)deleted.Body!["name"]));
        Assert.Equal(403, (await _host.GetAsync(principal, BackupHost.Lab)).Status);
        Assert.Equal(204, (await _host.SendAsync(Tokens.Administrator, "DELETE", (string)granted.Body["id"]!)).Status);
    }

    [Fact]
    public async Task An_assignment_is_read_back_as_its_version_shows_it()
    {
        Guid principal = Guid.NewGuid(), name = Guid.NewGuid();
        Answer made = await _host.AssignAsync(Tokens.Administrator, principal, BuiltInRoles.BackupReader, BackupHost.Vault, name);
        Assert.Equal(201, made.Status);
        JsonNode properties = made.Body!["properties"]!;
        Assert.Equal(
            (BackupHost.Vault, principal.ToString(), "ServicePrincipal", Tokens.Administrator.ToString(), $"{Definitions}/{BuiltInRoles.BackupReader.Id}"),
            ((string?)properties["scope"], (string?)properties["principalId"], (string?)properties["principalType"], (string?)properties["createdBy"], (string?)properties["roleDefinitionId"]));
        string id = (string)made.Body["id"]!;
        Assert.Equal($"{BackupHost.Vault}{Assignments}/{name}", id);
        Assert.Equal(made.Body.ToJsonString(), (await _host.GetAsync(Tokens.Administrator, id, "2022-04-01")).Body!.ToJsonString());
        Answer old = await _host.GetAsync(Tokens.Administrator, id, "2015-07-01");
        Assert.Equal(["principalId", "roleDefinitionId", "scope"], old.Body!["properties"]!.AsObject().Select(p => p.Key).Order());
        Assert.Equal((404, "RoleAssignmentNotFound"), Outcome(await _host.GetAsync(Tokens.Administrator, $"{BackupHost.Lab}{Assignments}/{name}")));
        Assert.Equal(200, (await _host.AssignAsync(Tokens.Administrator, principal, BuiltInRoles.BackupReader, BackupHost.Vault, name)).Status);
        Assert.Equal((409, "RoleAssignmentExists"), Outcome(await _host.AssignAsync(Tokens.Administrator, principal, BuiltInRoles.BackupReader, BackupHost.Vault.ToUpperInvariant().Replace("SUBSCRIPTIONS", "subscriptions", StringComparison.Ordinal))));
        Assert.Equal((400, "RoleAssignmentUpdateNotPermitted"), Outcome(await _host.AssignAsync(Tokens.Administrator, principal, BuiltInRoles.Owner, BackupHost.Vault, name)));
    }

    [Fact]
    public async Task Lists_of_assignments_show_what_holds_at_a_scope_and_below_it()
    {
        Guid lab = await _host.PrincipalAsync(BuiltInRoles.Reader, BackupHost.Lab), vault = await _host.PrincipalAsync(BuiltInRoles.Reader, BackupHost.Vault);
        Assert.Equal(Sorted(Tokens.Administrator, lab, vault), await PrincipalsAsync(BackupHost.Subscription + Assignments));
        Assert.Equal(Sorted(Tokens.Administrator), await PrincipalsAsync(BackupHost.Subscription + Assignments + "?$filter=atScope()"));
        Assert.Equal(Sorted(Tokens.Administrator, lab, vault), await PrincipalsAsync(BackupHost.Lab + Assignments));
        Assert.Equal(Sorted(Tokens.Administrator, lab), await PrincipalsAsync(BackupHost.Lab + Assignments + "?$filter=atScope()"));
        Assert.Equal(Sorted(Tokens.Administrator), await PrincipalsAsync(GuardedHost.Office + Assignments));
        Assert.Equal(Sorted(vault), await PrincipalsAsync($"{BackupHost.Subscription}{Assignments}?$filter=principalId eq '{vault}'"));
        Assert.Equal(Sorted(lab), await PrincipalsAsync($"{BackupHost.Lab}{Assignments}?$filter=atScope() and assignedTo('{lab}')"));
        Assert.Equal((400, "InvalidFilterInQueryString"), Outcome(await _host.GetAsync(Tokens.Administrator, BackupHost.Lab + Assignments + "?$filter=atScope() or true")));
    }

    [Fact]
    public async Task The_administrator_cannot_be_locked_out()
    {
        Guid owner = await _host.PrincipalAsync(BuiltInRoles.Owner);
        string id = $"{BackupHost.Subscription}{Assignments}/{Tokens.AdministratorsRole.Name}";
        Assert.Equal((409, "CannotDeleteLastRbacAdminAssignment"), Outcome(await _host.SendAsync(owner, "DELETE", id)));
        Assert.Equal(409, (await _host.AssignAsync(owner, Guid.NewGuid(), BuiltInRoles.Reader, BackupHost.Subscription, Tokens.AdministratorsRole.Name)).Status);
        Assert.Equal(200, (await _host.GetAsync(Tokens.Administrator, id)).Status);
    }

    [Fact]
    public async Task Nobody_grants_or_takes_away_beyond_their_own_scope()
    {
        Guid contributor = await _host.PrincipalAsync(BuiltInRoles.Contributor), access = await _host.PrincipalAsync(BuiltInRoles.UserAccessAdministrator, BackupHost.Lab);
        Assert.Equal((403, "AuthorizationFailed"), Outcome(await _host.AssignAsync(contributor, contributor, BuiltInRoles.Owner, BackupHost.Subscription)));
        Assert.Equal((403, "AuthorizationFailed"), Outcome(await _host.AssignAsync(access, access, BuiltInRoles.Owner, GuardedHost.Office)));
        Assert.Equal(201, (await _host.AssignAsync(access, access, BuiltInRoles.Owner, BackupHost.Lab)).Status);
        // By its name, at the group that the caller rules: it is not there, and stays where it is.
        string name = (string)(await _host.GetAsync(Tokens.Administrator, $"{BackupHost.Subscription}{Assignments}?$filter=principalId eq '{contributor}'")).Value[0]!["name"]!;
        Assert.Equal(204, (await _host.SendAsync(access, "DELETE", $"{BackupHost.Lab}{Assignments}/{name}")).Status);
        Assert.Equal(200, (await _host.GetAsync(contributor, GuardedHost.Office)).Status);
    }

    [Fact]
    public async Task A_role_over_a_vault_is_a_role_over_that_vault_alone()
    {
        await MakeVaultsAsync();
        Guid principal = await _host.PrincipalAsync(BuiltInRoles.BackupReader, BackupHost.Vault);
        Assert.Equal(200, (await _host.GetAsync(principal, BackupHost.Vault)).Status);
        Assert.Equal(200, (await _host.GetAsync(principal, BackupHost.Vault.Replace("vaults/v1", "VAULTS/V1", StringComparison.Ordinal) + "/backupPolicies")).Status);
        Assert.Equal(403, (await _host.GetAsync(principal, OfficeVault)).Status);
        Assert.Equal(403, (await _host.GetAsync(principal, BackupHost.Vault + "2")).Status);
        Assert.Equal(403, (await _host.GetAsync(principal, BackupHost.Lab)).Status);
        Assert.Equal(403, (await _host.SendAsync(principal, "DELETE", BackupHost.Vault)).Status);
    }

    [Fact]
    public async Task Lists_show_what_the_caller_may_read()
    {
        await MakeVaultsAsync();
        Guid principal = await _host.PrincipalAsync(BuiltInRoles.Reader, GuardedHost.Office), stranger = Guid.NewGuid();
        Assert.Equal(["office"], await NamesAsync(principal, BackupHost.Subscription + "/resourceGroups"));
        Assert.Equal(["v2"], await NamesAsync(principal, BackupHost.Subscription + "/resources"));
        Assert.Equal([], await NamesAsync(principal, BackupHost.Lab + "/resources"));
        Assert.Equal(["v2"], await NamesAsync(principal, BackupHost.Subscription + "/providers/Microsoft.RecoveryServices/vaults"));
        Assert.Single((await _host.GetAsync(principal, "/subscriptions")).Value);
        foreach (string path in new[] { "/resourceGroups", "/resources", "/providers/Microsoft.RecoveryServices/vaults", "/providers/Microsoft.Storage/storageAccounts", "/providers/Microsoft.Compute/disks" })
            Assert.Equal([], await NamesAsync(stranger, BackupHost.Subscription + path));
        Assert.Empty((await _host.GetAsync(stranger, "/subscriptions")).Value);
        Assert.Equal(404, (await _host.GetAsync(stranger, BackupHost.Subscription)).Status);
        Assert.Equal(["v1", "v2"], await NamesAsync(Tokens.Administrator, BackupHost.Subscription + "/resources"));
    }

    [Fact]
    public async Task A_group_made_anew_has_none_of_the_roles_of_the_one_before()
    {
        Guid principal = await _host.PrincipalAsync(BuiltInRoles.Reader, BackupHost.Lab);
        Guid vaultReader = await _host.PrincipalAsync(BuiltInRoles.BackupReader, BackupHost.Vault);
        Assert.Equal(202, (await _host.SendAsync(Tokens.Administrator, "DELETE", BackupHost.Lab)).Status);
        Assert.Equal(201, (await _host.SendAsync(Tokens.Administrator, "PUT", BackupHost.Lab, """{"location":"home"}""")).Status);
        Assert.Equal(403, (await _host.GetAsync(principal, BackupHost.Lab)).Status);
        Assert.Equal(403, (await _host.GetAsync(vaultReader, BackupHost.Vault)).Status);
    }

    [Fact]
    public async Task Protecting_a_machine_takes_a_role_over_the_machine_as_well()
    {
        await MakeVaultsAsync();
        const string machine = GuardedHost.Office + "/providers/Microsoft.Compute/virtualMachines/web1";
        const string item = BackupHost.Vault + "/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;office;web1/protectedItems/VM;iaasvmcontainerv2;office;web1";
        string body = $$$"""{"properties":{"protectedItemType":"Microsoft.Compute/virtualMachines","sourceResourceId":"{{{machine}}}","policyId":"{{{BackupHost.Vault}}}/backupPolicies/DefaultPolicy"}}""";
        Guid principal = await _host.PrincipalAsync(BuiltInRoles.BackupOperator, BackupHost.Lab);
        Answer refused = await _host.SendAsync(principal, "PUT", item, body);
        Assert.Equal((403, "LinkedAuthorizationFailed"), Outcome(refused));
        Assert.Contains(machine, refused.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(201, (await _host.AssignAsync(Tokens.Administrator, principal, BuiltInRoles.Contributor, GuardedHost.Office)).Status);
        Assert.NotEqual(403, (await _host.SendAsync(principal, "PUT", item, body)).Status);
    }

    [Fact]
    public async Task A_condition_is_refused_rather_than_left_out()
    {
        string body = $$$"""{"properties":{"roleDefinitionId":"{{{BuiltInRoles.Owner.Id}}}","principalId":"{{{Guid.NewGuid()}}}","condition":"@Resource[x] StringEquals 'y'"}}""";
        Assert.Equal((400, "ConditionsNotSupported"), Outcome(await _host.SendAsync(Tokens.Administrator, "PUT", $"{BackupHost.Lab}{Assignments}/{Guid.NewGuid()}", body)));
    }

    private async Task MakeVaultsAsync()
    {
        foreach (string vault in new[] { BackupHost.Vault, OfficeVault }) Assert.Equal(201, (await _host.SendAsync(Tokens.Administrator, "PUT", vault, NewVault)).Status);
    }

    private async Task<List<string>> NamesAsync(Guid caller, string path) => [.. (await _host.GetAsync(caller, path)).Value.Select(v => (string)v!["name"]!)];

    private async Task<List<string>> PrincipalsAsync(string path) =>
        [.. (await _host.GetAsync(Tokens.Administrator, path, "2022-04-01")).Value.Select(a => (string)a!["properties"]!["principalId"]!).Order(StringComparer.Ordinal)];

    private static List<string> Sorted(params Guid[] ids) => [.. ids.Select(id => id.ToString()).Order(StringComparer.Ordinal)];

    private static (int, string?) Outcome(Answer answer) => (answer.Status, answer.Code);
}
