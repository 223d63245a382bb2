namespace Strongroom.Backup.Policies.Reading;

/// <summary>
/// Checks the shape of policies for databases. They are kept and answered; nothing is protected by them in this version, so their limits are not Azure's.
/// </summary>
internal static class OtherPolicies
{
    public static void CheckWorkload(PolicyNode node)
    {
        if (node.RequiredText("workLoadType") is var type && type is not ("SQLDataBase" or "SAPHanaDatabase" or "SAPAseDatabase" or "SAPHanaDBInstance"))
            throw PolicyRefusals.Input($"'workLoadType' is '{PolicyWords.Cut(type)}'; it must be SQLDataBase, SAPHanaDatabase, SAPAseDatabase or SAPHanaDBInstance.");
        TermsReader.Zone(node.RequiredObject("settings"));
        var parts = node.Objects("subProtectionPolicy");
        if (parts.IsEmpty) throw node.Missing("subProtectionPolicy");
        foreach (var part in parts) CheckPart(part);
        if (parts.Select(p => p.Text("policyType")).Distinct().Count() != parts.Length) throw PolicyRefusals.Input("'subProtectionPolicy' has two parts of one policyType.");
    }

    private static void CheckPart(PolicyNode part)
    {
        var type = part.RequiredText("policyType");
        if (type is not ("Full" or "Differential" or "Log" or "CopyOnlyFull" or "Incremental" or "SnapshotFull" or "SnapshotCopyOnlyFull"))
            throw PolicyRefusals.Input($"'{part.PathOf("policyType")}' is '{PolicyWords.Cut(type)}', which is no kind of backup.");
        CheckSchedule(part.RequiredObject("schedulePolicy"));
        // A snapshot's retention is a number of days among its additional details.
        if (part.Object("retentionPolicy") is { } retention) CheckRetention(retention);
        else if (part.Object("snapshotBackupAdditionalDetails") is null) throw part.Missing("retentionPolicy");
    }

    private static void CheckSchedule(PolicyNode node)
    {
        switch (node.RequiredText("schedulePolicyType"))
        {
            case "SimpleSchedulePolicy":
                CheckSimple(node);
                break;
            case "LogSchedulePolicy":
                if (node.RequiredInteger("scheduleFrequencyInMins") is < 15 or > 1440) throw PolicyRefusals.Input($"'{node.PathOf("scheduleFrequencyInMins")}' must be 15 to 1440 minutes.");
                break;
            case var other:
                throw PolicyRefusals.Input($"'{node.PathOf("schedulePolicyType")}' is '{PolicyWords.Cut(other)}'; it must be SimpleSchedulePolicy or LogSchedulePolicy.");
        }
    }

    private static void CheckSimple(PolicyNode node)
    {
        switch (node.RequiredText("scheduleRunFrequency"))
        {
            case "Hourly":
                ScheduleReader.Hourly(node.RequiredObject("hourlySchedule"));
                return;
            case "Weekly":
                node.Days("scheduleRunDays");
                break;
            case "Daily":
                break;
            case var other:
                throw PolicyRefusals.Input($"'{node.PathOf("scheduleRunFrequency")}' is '{PolicyWords.Cut(other)}'; it must be Daily, Weekly or Hourly.");
        }

        if (node.Times("scheduleRunTimes").IsEmpty) throw node.Missing("scheduleRunTimes");
    }

    private static void CheckRetention(PolicyNode node)
    {
        var type = node.RequiredText("retentionPolicyType");
        if (type == "SimpleRetentionPolicy")
        {
            CheckDuration(node.RequiredObject("retentionDuration"));
            return;
        }

        if (type != "LongTermRetentionPolicy")
            throw PolicyRefusals.Input($"'{node.PathOf("retentionPolicyType")}' is '{PolicyWords.Cut(type)}'; it must be LongTermRetentionPolicy or SimpleRetentionPolicy.");
        var rules = new[] { "dailySchedule", "weeklySchedule", "monthlySchedule", "yearlySchedule" }.Select(node.Object).OfType<PolicyNode>().ToList();
        if (rules.Count == 0) throw PolicyRefusals.Input($"'{node.Path}' keeps nothing: it has neither a daily nor a weekly, monthly or yearly schedule.");
        foreach (var rule in rules) CheckDuration(rule.RequiredObject("retentionDuration"));
    }

    private static void CheckDuration(PolicyNode node)
    {
        var unit = node.RequiredText("durationType");
        if (unit is not ("Days" or "Weeks" or "Months" or "Years")) throw PolicyRefusals.Input($"'{node.PathOf("durationType")}' is '{PolicyWords.Cut(unit)}'; it must be Days, Weeks, Months or Years.");
        if (node.RequiredInteger("count") is < 1 or > 9999) throw PolicyRefusals.Retention($"'{node.PathOf("count")}' must be 1 to 9999.");
    }
}
