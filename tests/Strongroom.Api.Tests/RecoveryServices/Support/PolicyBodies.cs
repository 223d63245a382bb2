namespace Strongroom.Api.Tests.RecoveryServices.Support;

/// <summary>Policies as clients send them.</summary>
public static class PolicyBodies
{
    /// <summary>Of Azure's published example: weekly, monthly and yearly, all of format Weekly.</summary>
    public const string Weekly = """
        {"properties":{"backupManagementType":"AzureIaasVM","timeZone":"Pacific Standard Time",
        "schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Weekly","scheduleRunTimes":["2018-01-24T10:00:00Z"],"scheduleRunDays":["Monday","Wednesday","Thursday"]},
        "retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy",
        "weeklySchedule":{"daysOfTheWeek":["Monday","Wednesday","Thursday"],"retentionTimes":["2018-01-24T10:00:00Z"],"retentionDuration":{"count":1,"durationType":"Weeks"}},
        "monthlySchedule":{"retentionScheduleFormatType":"Weekly","retentionScheduleWeekly":{"daysOfTheWeek":["Wednesday","Thursday"],"weeksOfTheMonth":["First","Third"]},"retentionTimes":["2018-01-24T10:00:00Z"],"retentionDuration":{"count":2,"durationType":"Months"}},
        "yearlySchedule":{"retentionScheduleFormatType":"Weekly","monthsOfYear":["February","November"],"retentionScheduleWeekly":{"daysOfTheWeek":["Monday","Thursday"],"weeksOfTheMonth":["Fourth"]},"retentionTimes":["2018-01-24T10:00:00Z"],"retentionDuration":{"count":4,"durationType":"Years"}}}}}
        """;

    /// <summary>As Terraform sends a daily one (2024-10-01), with what it always adds.</summary>
    public const string Daily = """
        {"properties":{"backupManagementType":"AzureIaasVM","instantRPDetails":{"azureBackupRGNamePrefix":"snapshots","azureBackupRGNameSuffix":"lab"},"instantRpRetentionRangeInDays":5,"policyType":"V1",
        "retentionPolicy":{"dailySchedule":{"retentionDuration":{"count":10,"durationType":"Days"},"retentionTimes":["2018-07-30T23:00:00Z"]},
        "monthlySchedule":{"retentionDuration":{"count":7,"durationType":"Months"},"retentionScheduleDaily":{"daysOfTheMonth":[{"date":1,"isLast":false},{"date":0,"isLast":true}]},"retentionScheduleFormatType":"Daily","retentionTimes":["2018-07-30T23:00:00Z"]},
        "retentionPolicyType":"LongTermRetentionPolicy"},
        "schedulePolicy":{"scheduleRunFrequency":"Daily","scheduleRunTimes":["2018-07-30T23:00:00Z"],"schedulePolicyType":"SimpleSchedulePolicy"},
        "tieringPolicy":{"ArchivedRP":{"duration":0,"durationType":"Invalid","tieringMode":"DoNotTier"}},"timeZone":"UTC"}}
        """;

    public const string Hourly = """
        {"properties":{"backupManagementType":"AzureIaasVM","policyType":"V2","timeZone":"Europe/Berlin","instantRpRetentionRangeInDays":7,"snapshotConsistencyType":"OnlyCrashConsistent",
        "tieringPolicy":{"ArchivedRP":{"tieringMode":"TierAfter","duration":3,"durationType":"Months"}},
        "schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicyV2","scheduleRunFrequency":"Hourly","hourlySchedule":{"interval":4,"scheduleWindowStartTime":"2026-01-01T08:00:00Z","scheduleWindowDuration":12}},
        "retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["2026-01-01T08:00:00Z"],"retentionDuration":{"count":31,"durationType":"Days"}}}}}
        """;

    public const string EnhancedWeekly = """
        {"properties":{"backupManagementType":"AzureIaasVM","policyType":"V2","timeZone":"UTC","instantRpRetentionRangeInDays":3,
        "schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicyV2","scheduleRunFrequency":"Weekly","weeklySchedule":{"scheduleRunDays":["Sunday"],"scheduleRunTimes":["2026-01-01T08:00:00Z"]}},
        "retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","weeklySchedule":{"daysOfTheWeek":["Sunday"],"retentionTimes":["2026-01-01T08:00:00Z"],"retentionDuration":{"count":12,"durationType":"Weeks"}}}}}
        """;

    public const string FileShare = """
        {"properties":{"backupManagementType":"AzureStorage","timeZone":"UTC",
        "schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Hourly","hourlySchedule":{"interval":4,"scheduleWindowStartTime":"2026-01-01T09:00:00Z","scheduleWindowDuration":12}},
        "vaultRetentionPolicy":{"snapshotRetentionInDays":5,"vaultRetention":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["2026-01-01T09:00:00Z"],"retentionDuration":{"count":30,"durationType":"Days"}}}}}}
        """;

    public const string Database = """
        {"properties":{"backupManagementType":"AzureWorkload","workLoadType":"SQLDataBase","settings":{"timeZone":"Pacific Standard Time","issqlcompression":true,"isCompression":true},
        "subProtectionPolicy":[
        {"policyType":"Full","schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Weekly","scheduleRunDays":["Sunday"],"scheduleRunTimes":["2018-01-24T10:00:00Z"]},"retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","weeklySchedule":{"daysOfTheWeek":["Sunday"],"retentionTimes":["2018-01-24T10:00:00Z"],"retentionDuration":{"count":2,"durationType":"Weeks"}}}},
        {"policyType":"Log","schedulePolicy":{"schedulePolicyType":"LogSchedulePolicy","scheduleFrequencyInMins":60},"retentionPolicy":{"retentionPolicyType":"SimpleRetentionPolicy","retentionDuration":{"count":7,"durationType":"Days"}}}]}}
        """;
}
