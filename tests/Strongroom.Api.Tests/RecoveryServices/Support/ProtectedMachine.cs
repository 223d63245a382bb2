using System.Text.Json.Nodes;
using Strongroom.Backup.Machines;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices.Support;

/// <summary>A machine and the requests that concern its protection in a vault.</summary>
public sealed class ProtectedMachine(BackupHost host, VirtualMachine machine, string vault = BackupHost.Vault)
{
    public VirtualMachine Machine => machine;

    public string Vault => vault;

    public string NativeName => $"iaasvmcontainerv2;{machine.ResourceGroup.ToLowerInvariant()};{machine.Name.ToLowerInvariant()}";

    public string Container => $"{vault}/backupFabrics/Azure/protectionContainers/IaasVMContainer;{NativeName}";

    public string Item => $"{Container}/protectedItems/VM;{NativeName}";

    public string Account => BackupHost.Lab + "/providers/Microsoft.Storage/storageAccounts/restores1";

    public string EnableBody(string policy = "DefaultPolicy") => $$$"""
        {"properties":{"protectedItemType":"Microsoft.Compute/virtualMachines","sourceResourceId":"{{{machine.ResourceId}}}","policyId":"{{{vault}}}/backupPolicies/{{{policy}}}"}}
        """;

    public string RestoreBody(string point) => $$$"""
        {"properties":{"objectType":"IaasVMRestoreRequest","recoveryPointId":"{{{point}}}","recoveryType":"RestoreDisks","sourceResourceId":"{{{machine.ResourceId}}}",
        "storageAccountId":"{{{Account}}}","region":"home","createNewCloudService":false,"originalStorageAccountOption":false}}
        """;

    public const string BackupBody = """{"properties":{"objectType":"IaasVMBackupRequest","recoveryPointExpiryTimeInUTC":"2026-12-31T00:00:00.000Z"}}""";

    /// <summary>Makes the vault and protects the machine in it.</summary>
    public static async Task<ProtectedMachine> ProtectAsync(BackupHost host, string name = "web1")
    {
        await host.MakeVaultAsync();
        var made = new ProtectedMachine(host, host.Fabric.Add(name));
        Assert.Equal(202, (await host.PutAsync(made.Item, made.EnableBody())).Status);
        return made;
    }

    /// <summary>Backs up and answers the newest recovery point's name.</summary>
    public async Task<string> BackUpAsync()
    {
        host.Time.Advance(TimeSpan.FromMinutes(1));
        Answer accepted = await host.PostAsync(Item + "/backup", BackupBody);
        Assert.Equal(202, accepted.Status);
        JsonNode job = await host.WaitAsync(vault, await JobOfAsync(accepted));
        Assert.Equal("Completed", (string?)job["properties"]!["status"]);
        return (string)(await host.GetAsync(Item + "/recoveryPoints")).Value[0]!["name"]!;
    }

    /// <summary>The job that an accepted operation has started, as az finds it.</summary>
    public async Task<string> JobOfAsync(Answer accepted)
    {
        Answer status = await host.GetAsync($"{vault}/backupOperations/{OperationOf(accepted)}");
        return (string)status.Body!["properties"]!["jobId"]!;
    }

    /// <summary>The last part of the URL, which is all that az reads.</summary>
    public static string OperationOf(Answer accepted) => new Uri(accepted.Header("Azure-AsyncOperation")!).Segments[^1];
}
