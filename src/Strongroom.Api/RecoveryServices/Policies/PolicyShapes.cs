namespace Strongroom.Api.RecoveryServices.Policies;

/// <summary><c>ProtectionPolicy</c> of bms.json and all that is in it, for the three kinds of workloads that a Recovery Services vault has policies for.</summary>
internal static class PolicyShapes
{
    private static readonly JsonShape s_weekdays = JsonShape.List(JsonShape.Word("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"));
    private static readonly JsonShape s_times = JsonShape.List(JsonShape.Time);
    private static readonly JsonShape s_unit = JsonShape.Word("Invalid", "Days", "Weeks", "Months", "Years");
    private static readonly JsonShape s_duration = JsonShape.Object(("count", JsonShape.Integer), ("durationType", s_unit));
    private static readonly JsonShape s_frequency = JsonShape.Word("Invalid", "Daily", "Weekly", "Hourly");

    private static readonly JsonShape s_hourly = JsonShape.Object(
        ("interval", JsonShape.Integer), ("scheduleWindowStartTime", JsonShape.Time), ("scheduleWindowDuration", JsonShape.Integer));

    private static readonly JsonShape s_schedule = JsonShape.Kinds("schedulePolicyType",
        ("SimpleSchedulePolicy",
        [
            ("scheduleRunFrequency", s_frequency), ("scheduleRunDays", s_weekdays), ("scheduleRunTimes", s_times),
            ("hourlySchedule", s_hourly), ("scheduleWeeklyFrequency", JsonShape.Integer),
        ]),
        ("SimpleSchedulePolicyV2",
        [
            ("scheduleRunFrequency", s_frequency), ("hourlySchedule", s_hourly),
            ("dailySchedule", JsonShape.Object(("scheduleRunTimes", s_times))),
            ("weeklySchedule", JsonShape.Object(("scheduleRunDays", s_weekdays), ("scheduleRunTimes", s_times))),
        ]),
        ("LogSchedulePolicy", [("scheduleFrequencyInMins", JsonShape.Integer)]),
        ("LongTermSchedulePolicy", []));

    private static readonly (string Name, JsonShape Shape)[] s_daysOfMonth =
    [
        ("retentionScheduleDaily", JsonShape.Object(("daysOfTheMonth", JsonShape.List(JsonShape.Object(("date", JsonShape.Integer), ("isLast", JsonShape.Flag)))))),
        ("retentionScheduleWeekly", JsonShape.Object(
            ("daysOfTheWeek", s_weekdays), ("weeksOfTheMonth", JsonShape.List(JsonShape.Word("First", "Second", "Third", "Fourth", "Last", "Invalid"))))),
        ("retentionTimes", s_times),
        ("retentionDuration", s_duration),
    ];

    private static readonly JsonShape s_format = JsonShape.Word("Invalid", "Daily", "Weekly");

    private static readonly JsonShape s_months = JsonShape.List(JsonShape.Word(
        "Invalid", "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"));

    private static readonly JsonShape s_retention = JsonShape.Kinds("retentionPolicyType",
        ("LongTermRetentionPolicy",
        [
            ("dailySchedule", JsonShape.Object(("retentionTimes", s_times), ("retentionDuration", s_duration))),
            ("weeklySchedule", JsonShape.Object(("daysOfTheWeek", s_weekdays), ("retentionTimes", s_times), ("retentionDuration", s_duration))),
            ("monthlySchedule", JsonShape.Object([("retentionScheduleFormatType", s_format), .. s_daysOfMonth])),
            ("yearlySchedule", JsonShape.Object([("retentionScheduleFormatType", s_format), ("monthsOfYear", s_months), .. s_daysOfMonth])),
        ]),
        ("SimpleRetentionPolicy", [("retentionDuration", s_duration)]));

    private static readonly JsonShape s_tiering = JsonShape.Object(("ArchivedRP", JsonShape.Object(
        ("tieringMode", JsonShape.Word("Invalid", "TierRecommended", "TierAfter", "DoNotTier")), ("duration", JsonShape.Integer), ("durationType", s_unit))));

    private static readonly JsonShape s_identity = JsonShape.Object(
        ("identityArmId", JsonShape.Text), ("identityName", JsonShape.Text),
        ("userAssignedIdentityProperties", JsonShape.Object(("clientId", JsonShape.Text), ("principalId", JsonShape.Text))));

    private static readonly JsonShape s_subPolicy = JsonShape.Object(
        ("policyType", JsonShape.Word("Invalid", "Full", "Differential", "Log", "CopyOnlyFull", "Incremental", "SnapshotFull", "SnapshotCopyOnlyFull")),
        ("schedulePolicy", s_schedule),
        ("retentionPolicy", s_retention),
        ("tieringPolicy", s_tiering),
        ("snapshotBackupAdditionalDetails", JsonShape.Object(
            ("instantRpRetentionRangeInDays", JsonShape.Integer), ("instantRPDetails", JsonShape.Text), ("userAssignedManagedIdentityDetails", s_identity))));

    private static readonly JsonShape s_workload = JsonShape.Word(
        "VM", "SQLDataBase", "AzureFileShare", "SAPHanaDatabase", "SAPAseDatabase", "SAPHanaDBInstance");

    public static JsonShape Policy { get; } = JsonShape.Kinds("backupManagementType",
        ("AzureIaasVM",
        [
            ("policyType", JsonShape.Word("V1", "V2")),
            ("instantRPDetails", JsonShape.Object(("azureBackupRGNamePrefix", JsonShape.Text), ("azureBackupRGNameSuffix", JsonShape.Text))),
            ("schedulePolicy", s_schedule),
            ("retentionPolicy", s_retention),
            ("tieringPolicy", s_tiering),
            ("instantRpRetentionRangeInDays", JsonShape.Integer),
            ("timeZone", JsonShape.Text),
            ("snapshotConsistencyType", JsonShape.Word("OnlyCrashConsistent")),
        ]),
        ("AzureWorkload",
        [
            ("workLoadType", s_workload),
            ("settings", JsonShape.Object(("timeZone", JsonShape.Text), ("issqlcompression", JsonShape.Flag), ("isCompression", JsonShape.Flag))),
            ("subProtectionPolicy", JsonShape.List(s_subPolicy)),
        ]),
        // Answered without workLoadType, as the service answers it: there is only one.
        ("AzureStorage",
        [
            ("schedulePolicy", s_schedule),
            ("retentionPolicy", s_retention),
            ("vaultRetentionPolicy", JsonShape.Object(("vaultRetention", s_retention), ("snapshotRetentionInDays", JsonShape.Integer))),
            ("timeZone", JsonShape.Text),
        ]));
}
