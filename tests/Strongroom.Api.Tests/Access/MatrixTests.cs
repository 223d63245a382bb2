using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Strongroom.Api.Tests.BadInput;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Arm;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.Access;

/// <summary>Every endpoint, asked by everybody. What a role may do is written down here once more, from the documentation and not from the product.</summary>
public sealed partial class MatrixTests
{
    /// <summary>Of Azure's documentation of the role, July 2026: what of our providers a Backup Operator may do.</summary>
    [GeneratedRegex("""
        ^Microsoft\.(Authorization/.+/read|Support/.+|Network/virtualNetworks/read|Resources/deployments/.+|Resources/subscriptions/resourceGroups/read|Storage/storageAccounts/read
        |RecoveryServices/(operations/read
        |locations/(backupStatus/action|backupPreValidateProtection/action|backupValidateFeatures/action|backupAadProperties/read|backupCrrJobs?/action|backupCrossRegionRestore/action|backupCrrOperationResults/read|backupCrrOperationsStatus/read|operationStatus/read)
        |vaults/(read|usages/read|backupUsageSummaries/read|backupstorageconfig/.+|backupJobs/.+|backupJobsExport/action|backupOperationResults/.+|backupOperations/read|backupEngines/read
        |backupPolicies/(read|operations/read|operationResults/read)|backupProtectableItems/.+|backupProtectedItems/read|backupProtectionContainers/read|backupProtectionIntents/read
        |backupResourceGuardProxies/(read|write|delete|unlockDelete/action)|backupValidateOperation/action|backupTriggerValidateOperation/action|backupValidateOperationResults/read|backupValidateOperationsStatuses/read
        |certificates/write|extendedInformation/(read|write)|monitoringAlerts/(read|write)|monitoringConfigurations/.+|registeredIdentities/(read|write|operationResults/read)
        |backupFabrics/(operationResults/read|refreshContainers/action|backupProtectionIntent/(read|write)|protectableContainers/read
        |protectionContainers/(read|write|inquire/action|items/read|operationResults/read
        |protectedItems/(read|write|backup/action|operationResults/read|operationsStatus/read|recoveryPoints/(read|accessToken/action|provisionInstantItemRecovery/action|restore/action|revokeInstantItemRecovery/action)))))))$
        """, RegexOptions.IgnoreCase | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex OfOperators();

    private static readonly (string Name, RoleDefinition Role, Func<string, bool> May)[] s_roles =
    [
        ("reader", BuiltInRoles.Reader, static action => action.EndsWith("/read", StringComparison.OrdinalIgnoreCase)),
        ("operator", BuiltInRoles.BackupOperator, static action => OfOperators().IsMatch(action)),
        ("contributor", BuiltInRoles.Contributor, static action => !(action.StartsWith("Microsoft.Authorization/", StringComparison.OrdinalIgnoreCase) && !action.EndsWith("/read", StringComparison.OrdinalIgnoreCase))),
        ("owner", BuiltInRoles.Owner, static _ => true),
    ];

    [Fact]
    public async Task Every_operation_answers_every_caller_as_the_published_roles_say()
    {
        await using GuardedHost host = await GuardedHost.StartAsync();
        List<string> faults = [];
        int count = 0;
        foreach ((string name, RoleDefinition role, Func<string, bool> may) in s_roles)
        {
            Guid principal = await host.PrincipalAsync(role);
            foreach ((string method, RouteEndpoint endpoint, ArmAction action) in Operations(host.Host))
            {
                Answer answer = await host.SendAsync(principal, method, Path(endpoint), Body(method));
                // Whether the list leaves out what the caller may not see is another test's; a restored disk is guarded by its account.
                bool isAllowed = action.Check != ActionCheck.Path || may(action.Name);
                bool isRefused = answer.Status == 403 && (method == "HEAD" || answer.Code == "AuthorizationFailed");
                bool decidesItself = action.Check == ActionCheck.Items;
                if (answer.Status is 401 or >= 500 || (!decidesItself && isRefused == isAllowed)) faults.Add($"{name}: {method} {endpoint.RoutePattern.RawText} ({action.Name}): {answer.Status} {answer.Code}");
                count++;
            }
        }

        Assert.Equal([], faults);
        Assert.True(count > 300, $"Only {count} were tried.");
    }

    [Fact]
    public async Task No_token_an_expired_one_and_a_foreign_one_open_nothing()
    {
        await using GuardedHost host = await GuardedHost.StartAsync();
        (string Name, string? Token, string Code)[] callers =
        [
            ("no token", null, "AuthenticationFailed"),
            ("expired", host.Expired(Tokens.Administrator), "ExpiredAuthenticationToken"),
            ("foreign audience", host.Foreign(Tokens.Administrator), "InvalidAuthenticationTokenAudience"),
        ];
        List<string> faults = [];
        foreach ((string name, string? token, string code) in callers)
        {
            foreach ((string method, RouteEndpoint endpoint, _) in Operations(host.Host))
            {
                Answer answer = await host.SendWithTokenAsync(token, method, Path(endpoint), Body(method));
                if (answer.Status != 401 || (method != "HEAD" && answer.Code != code)) faults.Add($"{name}: {method} {endpoint.RoutePattern.RawText}: {answer.Status} {answer.Code}");
            }
        }

        Assert.Equal([], faults);
    }

    // Whoever has the key in its URL may read an export of jobs; nobody signs in for it.
    private static IEnumerable<(string Method, RouteEndpoint Endpoint, ArmAction Action)> Operations(BackupHost host) =>
        from endpoint in host.Endpoints
        where endpoint.Metadata.GetMetadata<IAllowAnonymous>() is null
        from method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods
        select (method, endpoint, endpoint.Metadata.GetMetadata<ArmAction>()!);

    private static string? Body(string method) => method is "PUT" or "POST" or "PATCH" ? """{"location":"home"}""" : null;

    // In a group of its own, which deletions may take away.
    private static string Path(RouteEndpoint endpoint) => EndpointProbe.Path(endpoint.RoutePattern, static parameter => parameter switch
    {
        "subscriptionId" => ArmHost.Subscription,
        "resourceGroupName" => "matrix",
        "providerNamespace" => "Microsoft.RecoveryServices",
        "fabricName" => "Azure",
        "roleAssignmentName" => "bbbbbbbb-0000-0000-0000-000000000001",
        "roleDefinitionId" => BuiltInRoles.Reader.Id.ToString(),
        _ => "name1",
    });
}
