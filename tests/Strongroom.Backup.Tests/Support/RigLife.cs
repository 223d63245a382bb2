using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Lifecycle;
using Strongroom.Backup.Policies;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Tests.Support;

/// <summary>Lets time pass in a <see cref="Rig"/>.</summary>
internal static class RigLife
{
    public static ItemLifecycle LifeOf(this Rig rig, LifecycleOptions? options = null) =>
        new(rig.Get<IItemAgenda>(), rig.Items, rig.Policies, rig.Points, rig.Ledger, rig.Pruning, rig.Verifications, rig.Signal, options ?? new(), rig.Time, NullLogger<ItemLifecycle>.Instance);

    /// <summary>Passes and the jobs that they start, until no more are started.</summary>
    /// <returns>The jobs, as they ended.</returns>
    public static async Task<List<Job>> LiveAsync(this Rig rig, LifecycleOptions? options = null)
    {
        var ended = new List<Job>();
        while (true)
        {
            await rig.LifeOf(options).RunOnceAsync(Rig.Token);
            var before = ended.Count;
            while (await rig.Ledger.ClaimAsync("life", TimeSpan.FromHours(1), Rig.Token) is { } claim)
            {
                IJobHandler handler = claim.Job.Operation == JobOperations.Backup ? rig.BackupHandler : rig.DeleteHandler;
                var end = await handler.RunAsync(new(rig.Ledger, claim, rig.Time), Rig.Token);
                Assert.True(await rig.Ledger.TryFinishAsync(claim, end.Job, end.Outcome, Rig.Token));
                ended.Add(end.Job);
            }

            if (ended.Count == before) return ended;
        }
    }

    /// <summary>Puts a policy: every day at 02:00 UTC; weekly on Sundays, monthly on the 1st, yearly on 1 January. Null: no such rule.</summary>
    public static async Task<Vault> PutPolicyAsync(this Rig rig, Vault vault, int days, int? weeks = null, int? months = null, int? years = null, string name = "life", int hour = 2)
    {
        var at = $"2026-01-01T{hour:00}:00:00Z";
        JsonObject Rule(int count, string unit) => new()
        {
            ["retentionTimes"] = new JsonArray(at),
            ["retentionDuration"] = new JsonObject { ["count"] = count, ["durationType"] = unit },
        };
        JsonObject First(JsonObject rule)
        {
            rule["retentionScheduleFormatType"] = "Daily";
            rule["retentionScheduleDaily"] = new JsonObject { ["daysOfTheMonth"] = new JsonArray(new JsonObject { ["date"] = 1, ["isLast"] = false }) };
            return rule;
        }

        var retention = new JsonObject { ["retentionPolicyType"] = "LongTermRetentionPolicy", ["dailySchedule"] = Rule(days, "Days") };
        if (weeks is { } w) (retention["weeklySchedule"] = Rule(w, "Weeks"))["daysOfTheWeek"] = new JsonArray("Sunday");
        if (months is { } m) retention["monthlySchedule"] = First(Rule(m, "Months"));
        if (years is { } y) (retention["yearlySchedule"] = First(Rule(y, "Years")))["monthsOfYear"] = new JsonArray("January");
        await new PolicyAdministration(rig.Policies, rig.Time).PutAsync(vault, name, new()
        {
            ["backupManagementType"] = "AzureIaasVM",
            ["schedulePolicy"] = new JsonObject { ["schedulePolicyType"] = "SimpleSchedulePolicy", ["scheduleRunFrequency"] = "Daily", ["scheduleRunTimes"] = new JsonArray(at) },
            ["retentionPolicy"] = retention,
            ["instantRpRetentionRangeInDays"] = 2,
            ["timeZone"] = "UTC",
        }, Rig.Token);
        return vault;
    }

    /// <summary>A machine under the policy of <see cref="PutPolicyAsync"/>.</summary>
    public static async Task<(Vault Vault, FakeMachine Machine)> ScheduledMachineAsync(this Rig rig, int days = 7)
    {
        var vault = await rig.PutPolicyAsync(await rig.NewVaultAsync(), days);
        var machine = rig.NewMachine("web1", FakeDisk.New(-1, "os", 1, 1 << 16));
        await rig.Protection.PutAsync(vault, Rig.Request(machine, "life"), Rig.Token);
        return (vault, machine);
    }
}
