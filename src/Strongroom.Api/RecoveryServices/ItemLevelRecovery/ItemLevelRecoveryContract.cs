using System.Text;
using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Backup.FileRecovery;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.ItemLevelRecovery;

/// <summary><c>IaasVMILRRegistrationRequest</c> in, <c>OperationStatusProvisionILRExtendedInfo</c> out (bms.json).</summary>
internal static class ItemLevelRecoveryContract
{
    private const string RequestType = "IaasVMILRRegistrationRequest";

    /// <summary>What the service sends for the content of a script that is fetched from a URL: "NA".</summary>
    private const string NotHere = "TkE=";

    /// <param name="pointName">The recovery point in the path.</param>
    /// <param name="origin">Scheme, host and port that the server is known by to the caller.</param>
    /// <param name="machineId">The machine named in the request, or null.</param>
    /// <exception cref="ArmException">400: something is missing or wrong.</exception>
    public static FileRecoveryRequest Read(JsonObject body, string pointName, Uri origin, out string? machineId)
    {
        var properties = body.OptionalObject("properties") ?? throw RecoveryServicesErrors.InvalidInput("'properties' is missing.", "properties");
        var type = properties.OptionalText("objectType");
        if (!RequestType.Equals(type, StringComparison.OrdinalIgnoreCase)) throw RecoveryServicesErrors.InvalidType("objectType", type, RequestType);
        if (properties.OptionalText("recoveryPointId") is { Length: > 0 } named && named != pointName)
            throw RecoveryServicesErrors.InvalidInput("'recoveryPointId' is not the recovery point in the path.", "properties.recoveryPointId");
        machineId = properties.OptionalText("virtualMachineId") is { Length: > 0 } machine ? machine : null;
        return new(InitiatorName(properties.OptionalText("initiatorName")), properties.OptionalFlag("renewExistingRegistration") ?? false, origin);
    }

    public static JsonObject ToJson(FileRecoveryMount mount, Vault vault, FileRecoveryOptions options, string windowsScriptUrl)
    {
        var suffix = ScriptNames.Suffix(mount, vault.Location);
        var scripts = mount.Point.Machine.OsType == "Windows"
            ? new JsonArray(
                Script("Windows", ".ps1", suffix, Base64(RecoveryScript.Windows.Write(mount, mount.Secrets.Password, options)), null),
                Script("Windows", ".ps1", suffix, NotHere, windowsScriptUrl))
            : new JsonArray(Script("Linux", ".py", suffix, Base64(RecoveryScript.Linux.Write(mount, mount.Secrets.Password, options)), null));
        return new()
        {
            ["objectType"] = "OperationStatusProvisionILRExtendedInfo",
            ["recoveryTarget"] = new JsonObject { ["clientScripts"] = scripts },
        };
    }

    private static JsonNode Script(string osType, string extension, string suffix, string content, string? url)
    {
        var script = new JsonObject { ["scriptContent"] = content, ["scriptExtension"] = extension, ["osType"] = osType, ["scriptNameSuffix"] = suffix };
        if (url is not null) script["url"] = url;
        return script;
    }

    /// <summary>A name of an initiator binds the mount to it. Clients also send what is none (a machine's name), which binds nobody.</summary>
    private static string? InitiatorName(string? sent)
    {
        var name = sent?.Trim().ToLowerInvariant();
        return name is { Length: > 4 and <= 223 } && (name.StartsWith("iqn.", StringComparison.Ordinal) || name.StartsWith("eui.", StringComparison.Ordinal) || name.StartsWith("naa.", StringComparison.Ordinal)) ? name : null;
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
