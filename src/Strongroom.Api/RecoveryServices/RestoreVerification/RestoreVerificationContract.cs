using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Backup.Items;
using Strongroom.Backup.Vaults;
using Strongroom.Backup.Verification;

namespace Strongroom.Api.RecoveryServices.RestoreVerification;

/// <summary>The option of a policy and the result of a recovery point on the wire: our own resources below Azure's (docs/restore-verification.md).</summary>
internal static class RestoreVerificationContract
{
    public const string OptionType = "Strongroom.RecoveryServices/restoreVerifications";
    public const string ResultType = "Strongroom.RecoveryServices/verifications";

    /// <exception cref="ArmException">400: a member is missing or of the wrong type.</exception>
    public static Backup.Verification.RestoreVerification FromJson(JsonObject body)
    {
        JsonObject sent = body.OptionalObject("properties") ?? throw ArmErrors.InvalidRequestContent("an object with isEnabled is required", "$.properties");
        return new()
        {
            IsEnabled = sent.OptionalFlag("isEnabled") ?? throw ArmErrors.InvalidRequestContent("true or false is required", "$.properties.isEnabled"),
            After = sent.OptionalText("after") ?? VerificationFrequencies.EveryBackup,
            TimeoutSeconds = sent.OptionalInteger("timeoutSeconds") switch
            {
                null => Backup.Verification.RestoreVerification.DefaultTimeoutSeconds,
                // Zero is what a document without the member has.
                0 => -1,
                { } seconds => seconds,
            },
            ConsolePattern = sent.OptionalText("consolePattern"),
            HostId = sent.OptionalText("hostId"),
        };
    }

    public static JsonObject ToJson(Vault vault, string policyName, Backup.Verification.RestoreVerification option)
    {
        var properties = new JsonObject
        {
            ["isEnabled"] = option.IsEnabled,
            ["after"] = option.After,
            ["timeoutSeconds"] = option.TimeoutSeconds,
        };
        if (option.ConsolePattern is { } pattern) properties["consolePattern"] = pattern;
        if (option.HostId is { } host) properties["hostId"] = host;
        return Resource($"{BackupPaths.Policy(vault, policyName)}/providers/{OptionType}/default", OptionType, properties);
    }

    /// <param name="result">Null: nobody has tried.</param>
    public static JsonObject ToJson(Vault vault, ProtectedItem item, string pointName, PointVerification? result)
    {
        var properties = new JsonObject { ["state"] = result?.State ?? VerificationStates.NotVerified };
        string id = $"{BackupPaths.RecoveryPoint(vault, item.NativeName, pointName)}/providers/{ResultType}/default";
        if (result is null) return Resource(id, ResultType, properties);
        if (result.By is { } by) properties["by"] = by;
        properties["at"] = WireTimes.Text(result.At);
        if (result.TookSeconds is { } seconds) properties["tookSeconds"] = seconds;
        if (result.Message.Length > 0) properties["message"] = result.Message;
        if (result.HasScreenshot) properties["screenshot"] = id + "/screenshot";
        return Resource(id, ResultType, properties);
    }

    private static JsonObject Resource(string id, string type, JsonObject properties) => new() { ["id"] = id, ["name"] = "default", ["type"] = type, ["properties"] = properties };
}
