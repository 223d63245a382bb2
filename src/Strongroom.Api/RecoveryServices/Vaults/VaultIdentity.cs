using System.Text.Json.Nodes;
using Strongroom.Arm;

namespace Strongroom.Api.RecoveryServices.Vaults;

/// <summary>The managed identity of a vault, as it is sent and answered.</summary>
internal static class VaultIdentity
{
    /// <param name="existing">The identity so far: a system-assigned principal keeps its id.</param>
    public static JsonObject? Read(JsonObject sent, JsonObject? existing, string tenantId)
    {
        var kinds = (sent.OptionalText("type") ?? "None").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        bool Has(string kind) => kinds.Contains(kind, StringComparer.OrdinalIgnoreCase);
        if (kinds.FirstOrDefault(k => !k.Equals("None", StringComparison.OrdinalIgnoreCase) && !k.Equals("SystemAssigned", StringComparison.OrdinalIgnoreCase)
            && !k.Equals("UserAssigned", StringComparison.OrdinalIgnoreCase)) is { } unknown)
            throw RecoveryServicesErrors.InvalidInput($"'{unknown}' is not a kind of identity.", "identity.type");
        if (!Has("SystemAssigned") && !Has("UserAssigned")) return null;

        var identity = new JsonObject
        {
            // The service answers with a blank after the comma whatever was sent.
            ["type"] = string.Join(", ", new[] { "SystemAssigned", "UserAssigned" }.Where(Has)),
        };
        if (Has("SystemAssigned"))
        {
            identity["principalId"] = existing?["principalId"]?.DeepClone() ?? Guid.NewGuid().ToString();
            identity["tenantId"] = tenantId;
        }

        if (Has("UserAssigned")) identity["userAssignedIdentities"] = Users(sent, existing);
        return identity;
    }

    private static JsonObject Users(JsonObject sent, JsonObject? existing)
    {
        var before = existing?["userAssignedIdentities"] as JsonObject;
        var users = before is null ? new JsonObject() : (JsonObject)before.DeepClone();
        foreach (var (id, value) in sent.OptionalObject("userAssignedIdentities") ?? [])
        {
            if (!ResourceId.TryParse(id, out _)) throw ArmErrors.InvalidResourceId(id, "identity.userAssignedIdentities");
            if (value is not (null or JsonObject)) throw ArmErrors.InvalidRequestContent("an object or null is expected for each identity", "$.identity.userAssignedIdentities");
            // null takes an identity away, as JSON merge patch says.
            if (value is null) users.Remove(id);
            else users[id] ??= new JsonObject { ["principalId"] = Guid.NewGuid().ToString(), ["clientId"] = Guid.NewGuid().ToString() };
        }

        return users;
    }
}
