using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Routing;
using Strongroom.Api.Tests.BadInput;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices;

/// <summary>Every endpoint of the whole server, blobs included, under what a hostile or broken client sends, beside a machine that is protected and must stay so.</summary>
public sealed class BadInputTests : IAsyncLifetime
{
    private BackupHost _host = null!;
    private ProtectedMachine _web1 = null!;
    private string _point = null!;
    private string _job = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await BackupHost.StartAsync();
        _web1 = await ProtectedMachine.ProtectAsync(_host);
        await _host.PutAsync(_web1.Account, """{"location":"home"}""");
        await _host.PutAsync(BackupHost.Lab + "/providers/Strongroom.Fabric/hosts/nas", """{"location":"home","properties":{"kind":"Folder","path":"/srv/machines"}}""");
        await _host.PutAsync(BackupHost.Lab + "/providers/Microsoft.DataProtection/resourceGuards/guard1", """{"location":"home"}""");
        _point = await _web1.BackUpAsync();
        _job = (string)(await _host.GetAsync(BackupHost.Vault + "/backupJobs")).Value[0]!["name"]!;
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task No_endpoint_answers_bad_input_with_500_or_out_of_shape_and_nothing_is_changed()
    {
        string before = await DumpAsync();
        List<string> faults = [];
        int count = 0;
        foreach (RouteEndpoint endpoint in _host.Endpoints)
        {
            bool isDeletion = endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.Contains("DELETE") == true;
            // What is deleted here must not be there: an unknown query key is no reason to refuse a deletion.
            string last = endpoint.RoutePattern.Parameters is [.., var parameter] ? parameter.Name : "";
            foreach (Probe probe in EndpointProbe.For(endpoint, p => isDeletion && p == last ? Absent(p) : Name(p)))
            {
                count++;
                Answer answer = await _host.SendRawAsync(probe.Method, probe.Path, probe.Body, probe.ContentType);
                if (answer.Status >= 500) faults.Add($"{probe}: {answer.Status}");
                bool isShaped = answer is { Code: not null, Message.Length: > 0 } || probe.Method == "HEAD" || answer is { Status: 400, Body: null };
                if (answer.Status >= 400 && !isShaped) faults.Add($"{probe}: {answer.Status} without an error");
                if (answer.Message?.Length > 1500) faults.Add($"{probe}: the message grows with the request");
            }

            string after = await DumpAsync();
            if (after != before) faults.Add($"{endpoint.DisplayName} changed something: {string.Join('\n', after.Split('\n').Except(before.Split('\n')))}");
            before = after;
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
        Assert.True(count > 5000, $"Only {count} probes were made: the endpoints were not found.");
        Assert.Empty(_host.Log.Lines);
    }

    [Theory]
    [InlineData("ProtectedItemType", """{"properties":{"protectedItemType":"AzureFileShareProtectedItem","policyId":"x"}}""", "PUT", "")]
    [InlineData("no type", """{"properties":{"policyId":"x"}}""", "PUT", "")]
    [InlineData("unknown state", """{"properties":{"protectedItemType":"Microsoft.Compute/virtualMachines","protectionState":"Nonsense"}}""", "PUT", "")]
    [InlineData("policy of another vault", """{"properties":{"protectedItemType":"Microsoft.Compute/virtualMachines","policyId":"/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/lab/providers/Microsoft.RecoveryServices/vaults/other/backupPolicies/DefaultPolicy"}}""", "PUT", "")]
    [InlineData("policy that does not exist", """{"properties":{"protectedItemType":"Microsoft.Compute/virtualMachines","policyId":"/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/lab/providers/Microsoft.RecoveryServices/vaults/v1/backupPolicies/none"}}""", "PUT", "")]
    [InlineData("policy for databases", """{"properties":{"protectedItemType":"Microsoft.Compute/virtualMachines","policyId":"/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/lab/providers/Microsoft.RecoveryServices/vaults/v1/backupPolicies/HourlyLogBackup"}}""", "PUT", "")]
    [InlineData("another machine", """{"properties":{"protectedItemType":"Microsoft.Compute/virtualMachines","sourceResourceId":"/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/lab/providers/Microsoft.Compute/virtualMachines/other","policyId":"/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/lab/providers/Microsoft.RecoveryServices/vaults/v1/backupPolicies/DefaultPolicy"}}""", "PUT", "")]
    [InlineData("undelete of a live item", """{"properties":{"isRehydrate":true}}""", "PUT", "")]
    [InlineData("backup of another kind", """{"properties":{"objectType":"AzureWorkloadBackupRequest"}}""", "POST", "/backup")]
    [InlineData("backup that has expired", """{"properties":{"objectType":"IaasVMBackupRequest","recoveryPointExpiryTimeInUTC":"2020-01-01T00:00:00Z"}}""", "POST", "/backup")]
    [InlineData("restore of another kind", """{"properties":{"objectType":"AzureFileShareRestoreRequest"}}""", "POST", "/recoveryPoints/{point}/restore")]
    [InlineData("restore to another place", """{"properties":{"objectType":"IaasVMRestoreRequest","recoveryType":"OriginalLocation"}}""", "POST", "/recoveryPoints/{point}/restore")]
    [InlineData("restore to nowhere", """{"properties":{"objectType":"IaasVMRestoreRequest","recoveryType":"RestoreDisks","storageAccountId":"/subscriptions/../../etc"}}""", "POST", "/recoveryPoints/{point}/restore")]
    [InlineData("restore of a disk that is not there", """{"properties":{"objectType":"IaasVMRestoreRequest","recoveryType":"RestoreDisks","restoreDiskLunList":[7],"storageAccountId":"/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/lab/providers/Microsoft.Storage/storageAccounts/restores1"}}""", "POST", "/recoveryPoints/{point}/restore")]
    public async Task An_unknown_discriminator_or_a_request_that_makes_no_sense_is_400(string what, string body, string method, string below)
    {
        string before = await DumpAsync();
        Answer answer = await _host.SendAsync(method, _web1.Item + below.Replace("{point}", _point, StringComparison.Ordinal), body);
        Assert.Equal((what, 400), (what, answer.Status));
        Assert.StartsWith("BMSUserError", answer.Code, StringComparison.Ordinal);
        Assert.Equal(before, await DumpAsync());
    }

    [Fact]
    public async Task A_backup_that_would_have_expired_is_told_both_times()
    {
        DateTimeOffset now = _host.Time.GetUtcNow();
        Answer answer = await _host.PostAsync(_web1.Item + "/backup", """{"properties":{"objectType":"IaasVMBackupRequest","recoveryPointExpiryTimeInUTC":"2020-01-31T02:00:00+02:00"}}""");
        Assert.Equal((400, "BMSUserErrorInvalidInput"), (answer.Status, answer.Code));
        Assert.Contains($"recoveryPointExpiryTimeInUTC is in the past: 2020-01-31T00:00:00Z, and it is {now:yyyy-MM-ddTHH:mm:ss}Z.", answer.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_huge_body_is_413_and_changes_nothing()
    {
        string before = await DumpAsync();
        string huge = $"{{\"properties\":{{\"objectType\":\"{new string('a', 5 * 1024 * 1024)}\"}}}}";
        foreach ((string method, string path) in new[] { ("PUT", BackupHost.Vault), ("PATCH", BackupHost.Vault), ("PUT", _web1.Item), ("POST", _web1.Item + "/backup") })
        {
            try
            {
                Answer answer = await _host.SendAsync(method, path, huge);
                Assert.Equal((413, "RequestEntityTooLarge"), (answer.Status, answer.Code));
            }
            catch (HttpRequestException)
            {
                // The server has answered and closed while the body was still on its way; the client may see the broken pipe first.
            }
        }

        Assert.Equal(before, await DumpAsync());
    }

    [Fact]
    public async Task Only_one_backup_of_an_item_runs_at_a_time()
    {
        var gate = new TaskCompletionSource();
        _host.Fabric.Ready = gate.Task;
        _host.Time.Advance(TimeSpan.FromMinutes(1));
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _host.PostAsync(_web1.Item + "/backup", ProtectedMachine.BackupBody)));
        Assert.Single(answers, a => a.Status == 202);
        Assert.All(answers.Where(a => a.Status != 202), a => Assert.Equal((409, "UserErrorBackupOperationInProgress"), (a.Status, a.Code)));
        gate.SetResult();
        await _host.WaitAsync(BackupHost.Vault, await _web1.JobOfAsync(answers.Single(a => a.Status == 202)));
        Assert.Equal(2, (await _host.GetAsync(_web1.Item + "/recoveryPoints")).Value.Count);
    }

    /// <summary>What is there, without the etags: a PATCH of nothing is no change.</summary>
    private async Task<string> DumpAsync()
    {
        string[] paths =
        [
            BackupHost.Vaults, BackupHost.Vault + "/backupconfig/vaultconfig", BackupHost.Vault + "/backupstorageconfig/vaultstorageconfig", BackupHost.Vault + "/backupPolicies",
            BackupHost.Vault + "/backupProtectedItems", BackupHost.Vault + "/backupJobs", _web1.Item + "/recoveryPoints", BackupHost.Subscription + "/resourceGroups", BackupHost.Subscription + "/resources",
        ];
        JsonNode?[] bodies = await Task.WhenAll(paths.Select(async path => (await _host.GetAsync(path)).Body));
        foreach (JsonNode? vault in bodies[0]!["value"]!.AsArray()) vault!.AsObject().Remove("etag");
        return string.Join('\n', bodies.Select(b => b!.ToJsonString()));
    }

    private string Name(string parameter) => parameter switch
    {
        "subscriptionId" => ArmHost.Subscription,
        "resourceGroupName" => "lab",
        "providerNamespace" => "Microsoft.RecoveryServices",
        "vaultName" => "v1",
        "fabricName" => "Azure",
        "containerName" => "IaasVMContainer;" + _web1.NativeName,
        "protectedItemName" => "VM;" + _web1.NativeName,
        "recoveryPointId" => _point,
        "policyName" => "DefaultPolicy",
        "jobName" => _job,
        "operationId" => "00000000-0000-0000-0000-000000000001",
        "azureRegion" => "home",
        "account" or "accountName" => "restores1",
        "resourceGuardsName" => "guard1",
        _ => "name1",
    };

    private static string Absent(string parameter) => parameter == "protectedItemName" ? "VM;iaasvmcontainerv2;lab;nobody" : "nobody";
}
