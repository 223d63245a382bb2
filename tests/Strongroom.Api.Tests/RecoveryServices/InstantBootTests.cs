using System.Text.Json.Nodes;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices;

/// <summary>Instant boot over HTTP, on hosts of which none can do it.</summary>
public sealed class InstantBootTests : IAsyncLifetime
{
    private const string Target = BackupHost.Lab + "/providers/Microsoft.Compute/virtualMachines/web2";

    private BackupHost _host = null!;
    private ProtectedMachine _web1 = null!;
    private string _point = "";

    public async ValueTask InitializeAsync()
    {
        _host = await BackupHost.StartAsync();
        _web1 = await ProtectedMachine.ProtectAsync(_host);
        _point = await _web1.BackUpAsync();
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Its_job_is_a_restore_with_tasks_of_its_own()
    {
        Answer accepted = await PostAsync(new JsonObject { ["targetVirtualMachineId"] = Target });

        Assert.Equal(202, accepted.Status);
        Assert.Contains("/providers/Microsoft.RecoveryServices/vaults/", accepted.Header("Azure-AsyncOperation"), StringComparison.Ordinal);
        JsonNode job = (await _host.WaitAsync(BackupHost.Vault, ProtectedMachine.OperationOf(accepted)))["properties"]!;
        Assert.Equal(("Restore", "Failed"), ((string?)job["operation"], (string?)job["status"]));
        JsonNode info = job["extendedInfo"]!;
        Assert.Equal(["Boot from the recovery point", "Transfer data from vault"], info["tasksList"]!.AsArray().Select(t => (string)t!["taskId"]!));
        Assert.Equal(("web2", "InstantBoot"), ((string?)info["propertyBag"]!["Target VM Name"], (string?)info["internalPropertyBag"]!["restoreLocationType"]));
        Assert.Equal("Resource group 'lab' has no host that could boot 'web2'.", (string?)job["errorDetails"]![0]!["errorString"]);
    }

    [Fact]
    public async Task What_names_no_machine_or_network_is_refused()
    {
        Assert.Equal(400, (await PostAsync(null)).Status);
        foreach (JsonObject properties in (JsonObject[])
        [
            new(),
            new() { ["targetVirtualMachineId"] = BackupHost.Lab },
            new() { ["targetVirtualMachineId"] = Target + "_%" },
            new() { ["targetVirtualMachineId"] = Target, ["subnetId"] = Target },
        ])
        {
            Answer refused = await PostAsync(properties);
            Assert.Equal((400, "BMSUserErrorInvalidInput"), (refused.Status, refused.Code));
        }
    }

    private Task<Answer> PostAsync(JsonObject? properties) =>
        _host.SendAsync("POST", _web1.Item.Replace("/Microsoft.RecoveryServices/", "/Strongroom.RecoveryServices/", StringComparison.Ordinal) + $"/recoveryPoints/{_point}/instantBoot", new JsonObject { ["properties"] = properties }.ToJsonString(), "2024-04-01");
}
