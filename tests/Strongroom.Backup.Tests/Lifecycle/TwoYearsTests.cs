using Strongroom.Backup.Items;
using Strongroom.Backup.Tests.Support;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Tests.Lifecycle;

/// <summary>Two years of an item, looked at twice a day and compared with a model that knows nothing of the server's rules but their words.</summary>
public sealed class TwoYearsTests
{
    private sealed record Rules(int Days, int Weeks, int Months, int Years);

    /// <param name="Kinds">D daily, W weekly, M monthly, Y yearly; empty: on demand.</param>
    private sealed record Kept(DateTimeOffset Time, string Kinds, DateTimeOffset? Until);

    [Fact]
    public async Task On_every_day_exactly_the_points_exist_that_the_policy_keeps()
    {
        await using var rig = await Rig.NewAsync();
        var (broad, narrow) = (new Rules(30, 12, 12, 5), new Rules(10, 4, 0, 0));
        var vault = await PutAsync(rig, await rig.NewVaultAsync(), broad);
        var machine = rig.NewMachine("web1", FakeDisk.New(-1, "os", 1, 1 << 16));
        await rig.Protection.PutAsync(vault, Rig.Request(machine, "life"), Rig.Token);
        var item = (await rig.Items.FindAsync(vault.Key, Rig.NativeName(machine), Rig.Token))!;
        var (rules, isBackedUp, isPruned, model) = (broad, true, true, new List<Kept>());
        var most = 0;

        for (var hour = 12; hour <= 730 * 24; hour += 12)
        {
            rig.Time.Advance(TimeSpan.FromHours(12));
            var now = rig.Time.GetUtcNow();
            // Changes at 22:00, when no backup is on its way.
            switch (hour)
            {
                case 240 * 24 + 12:
                    await PutAsync(rig, vault, rules = narrow);
                    break;
                case 300 * 24 + 12:
                    await StateAsync(ProtectionStates.Suspended, null);
                    isBackedUp = false;
                    break;
                case 380 * 24 + 12:
                    await PutAsync(rig, vault, rules = broad);
                    await StateAsync(null, "life");
                    isBackedUp = true;
                    break;
                case 500 * 24 + 12:
                    await StateAsync(ProtectionStates.Stopped, "");
                    isBackedUp = isPruned = false;
                    break;
                case 560 * 24 + 12:
                    await StateAsync(null, "life");
                    isBackedUp = isPruned = true;
                    break;
                case 700 * 24 + 12:
                    await rig.Protection.DeleteAsync(vault, Rig.NativeName(machine), Rig.Token);
                    isBackedUp = isPruned = false;
                    break;
            }

            if (isBackedUp && hour % (24 * 50) == 0)
            {
                DateTimeOffset? until = hour % (24 * 100) == 0 ? now.AddDays(3) : null;
                await rig.Admission.BackUpAsync(vault, Rig.NativeName(machine), until, Rig.Token);
                model.Add(new(now, "", until));
            }

            // 02:00 has passed since the last look.
            if (isBackedUp && now.Hour is >= 2 and < 14) model.Add(new(now, Kinds(now, rules), null));
            machine.Disks[0].Write(hour % 60_000, (byte)hour, (byte)(hour >> 8));
            await rig.LiveAsync();

            if (hour >= 714 * 24 + 12) model.Clear();
            else if (isPruned) Prune(model, rules, now);
            most = Math.Max(most, model.Count);
            var listed = await rig.Points.ListAsync(item.Key, Rig.Token);
            Assert.Equal(model.Select(k => k.Time).OrderDescending(), listed.Select(p => p.Time));
            if (hour % 240 == 0)
            {
                var store = await rig.Stores.OpenAsync(vault.Key, Rig.Token);
                Assert.Equal(listed.Select(p => p.SnapshotId).Order(), store.Snapshots.Select(s => s.Id.Value).Order());
                if (listed.Count > 0 && (isBackedUp || isPruned)) Assert.Equal(listed[0].Time, (await rig.Items.FindAsync(item.Key, Rig.Token))!.LastRecoveryPointTime);
            }
        }

        // All of it has happened: many points, then none, and neither item nor data are left.
        Assert.True(most > 40, $"There were never more than {most} points.");
        Assert.Null(await rig.Items.FindAsync(item.Key, Rig.Token));
        await foreach (var pack in rig.Stores.BackendOf(vault.Key).ListAsync("packs/", Rig.Token)) Assert.Fail($"{pack.Name} is left of a purged item.");

        Task StateAsync(string? state, string? policy) => rig.Protection.PutAsync(vault, Rig.Request(machine, policy, state), Rig.Token);
    }

    private static Task<Vault> PutAsync(Rig rig, Vault vault, Rules rules) =>
        rig.PutPolicyAsync(vault, rules.Days, rules.Weeks, rules.Months > 0 ? rules.Months : null, rules.Years > 0 ? rules.Years : null);

    private static string Kinds(DateTimeOffset at, Rules rules) =>
        "D" + (at.DayOfWeek == DayOfWeek.Sunday ? "W" : "") + (at.Day == 1 && rules.Months > 0 ? "M" : "") + (at is { Day: 1, Month: 1 } && rules.Years > 0 ? "Y" : "");

    private static void Prune(List<Kept> model, Rules rules, DateTimeOffset now)
    {
        var newest = model.MaxBy(k => k.Time);
        model.RemoveAll(k => (k.Until ?? Until(k, rules)) <= now);
        if (model.Count == 0 && newest is not null) model.Add(newest);
    }

    private static DateTimeOffset Until(Kept kept, Rules rules)
    {
        if (kept.Kinds.Length == 0) return kept.Time.AddDays(30);
        var until = kept.Time.AddDays(rules.Days);
        foreach (var kind in kept.Kinds)
        {
            var end = kind switch
            {
                'Y' when rules.Years > 0 => kept.Time.AddYears(rules.Years),
                'M' or 'Y' when rules.Months > 0 => kept.Time.AddMonths(rules.Months),
                'W' or 'M' or 'Y' when rules.Weeks > 0 => kept.Time.AddDays(7 * rules.Weeks),
                _ => kept.Time.AddDays(rules.Days),
            };
            if (end > until) until = end;
        }

        return until;
    }
}
