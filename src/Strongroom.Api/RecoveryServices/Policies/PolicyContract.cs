using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Backup.Policies;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.Policies;

/// <summary><c>ProtectionPolicyResource</c>.</summary>
internal static class PolicyContract
{
    /// <summary>The policy in a request, in the contract's spelling.</summary>
    /// <exception cref="ArmException">400: something in it is of another type.</exception>
    public static JsonObject FromJson(JsonObject body)
    {
        body.CheckTexts("id", "name", "type", "location", "eTag");
        body.CheckObjects("tags");
        var sent = body.OptionalObject("properties") ?? throw ArmErrors.InvalidRequestContent("an object is required", "$.properties");
        // What a client sends back that it was answered, and what concerns other requests.
        sent.OptionalInteger("protectedItemsCount");
        sent.CheckFlags("makePolicyConsistent");
        sent.CheckTexts("workLoadType");
        return (JsonObject)PolicyShapes.Policy.Read(sent);
    }

    public static JsonObject ToJson(Vault vault, PolicyInUse listed)
    {
        var properties = (JsonObject)listed.Policy.Properties.DeepClone();
        properties["protectedItemsCount"] = listed.ProtectedItems;
        return new()
        {
            ["id"] = BackupPaths.Policy(vault, listed.Policy.Name),
            ["name"] = listed.Policy.Name,
            ["type"] = BackupPaths.VaultType + "/backupPolicies",
            ["properties"] = properties,
        };
    }

    /// <summary>What the filter calls workloadType.</summary>
    public static string? Workload(BackupPolicy policy) => policy.BackupManagementType switch
    {
        "AzureIaasVM" => "VM",
        "AzureStorage" => "AzureFileShare",
        _ => policy.Properties["workLoadType"]?.GetValue<string>(),
    };
}
