using System.Text.Json.Nodes;

namespace Strongroom.Backup.Policies.Reading;

/// <summary>Policies of every kind: what the service adds to them, and whether they are sound.</summary>
internal static class PolicyReader
{
    /// <summary>Adds what a request may leave to the service, so that it reads back what holds.</summary>
    public static void Complete(JsonObject properties)
    {
        CompleteSchedule(properties["schedulePolicy"]);
        foreach (var part in properties["subProtectionPolicy"] as JsonArray ?? []) CompleteSchedule((part as JsonObject)?["schedulePolicy"]);
        if (Kind(properties) == "AzureStorage") ShareTermsReader.Complete(properties);
        if (Kind(properties) != VirtualMachines) return;
        properties["instantRPDetails"] ??= new JsonObject();
        properties["instantRpRetentionRangeInDays"] ??= TermsReader.NormalInstantDays(properties);
        if ((string?)properties["timeZone"] is null or "") properties["timeZone"] = "UTC";
    }

    /// <exception cref="BackupRefusedException">Something in it is missing, wrong or out of bounds.</exception>
    public static void Check(BackupPolicy policy)
    {
        var node = new PolicyNode(policy.Properties, "");
        switch (Kind(policy.Properties))
        {
            case VirtualMachines:
                PolicyTerms.Read(policy);
                break;
            case "AzureWorkload":
                OtherPolicies.CheckWorkload(node);
                break;
            case "AzureStorage":
                ShareTermsReader.Read(policy.Properties);
                break;
            case null:
                throw node.Missing("backupManagementType");
            case var other:
                throw PolicyRefusals.Input($"'backupManagementType' is '{PolicyWords.Cut(other)}'; it must be {VirtualMachines}, AzureWorkload or AzureStorage.");
        }
    }

    private const string VirtualMachines = "AzureIaasVM";

    private static string? Kind(JsonObject properties) => (string?)properties["backupManagementType"];

    private static void CompleteSchedule(JsonNode? schedule)
    {
        if (schedule is JsonObject json && (string?)json["schedulePolicyType"] == "SimpleSchedulePolicy") json["scheduleWeeklyFrequency"] ??= 0;
    }
}
