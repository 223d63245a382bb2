using Microsoft.Extensions.DependencyInjection;
using Strongroom.Backup.Lifecycle;
using Strongroom.Backup.Operations;
using Strongroom.Backup.Policies;
using Strongroom.Metadata.Tests.Support;

namespace Strongroom.Metadata.Tests.Conformance;

public abstract class ItemAgendaSuite : DatabaseSuite
{
    private static readonly DateTimeOffset s_later = Sample.Now.AddDays(1);

    private IItemAgenda Agenda => Services.GetRequiredService<IItemAgenda>();

    [Fact]
    public async Task An_item_is_due_at_its_time_and_after_every_write_of_it()
    {
        var item = await AddItemAsync(await AddVaultAsync());
        await SetAsync(s_later);
        Assert.Empty(await Agenda.ListDueAsync(s_later.AddTicks(-1), Token));
        Assert.Equal(item.Key, Assert.Single(await Agenda.ListDueAsync(s_later, Token)).ItemKey);

        Assert.True(await Items.TryUpdateAsync(item, Token));
        Assert.Single(await Agenda.ListDueAsync(Sample.Now, Token));
        await SetAsync(null);
        Assert.Empty(await Agenda.ListDueAsync(DateTimeOffset.MaxValue.AddDays(-1), Token));
    }

    [Fact]
    public async Task What_is_written_after_an_item_was_listed_is_not_overlooked()
    {
        var vault = await AddVaultAsync();
        var item = await AddItemAsync(vault);
        var policy = (await Policies.FindAsync(vault.Key, item.PolicyName, Token))!;

        var listed = Assert.Single(await Agenda.ListDueAsync(Sample.Now, Token));
        await PutAsync(policy);
        await Agenda.SetNextAsync(listed, s_later, Token);
        listed = Assert.Single(await Agenda.ListDueAsync(Sample.Now, Token));
        Assert.True(await Items.TryUpdateAsync(item, Token));
        await Agenda.SetNextAsync(listed, s_later, Token);
        Assert.Single(await Agenda.ListDueAsync(Sample.Now, Token));

        await SetAsync(s_later);
        await PutAsync(policy with { Name = "EnhancedPolicy" });
        Assert.Empty(await Agenda.ListDueAsync(Sample.Now, Token));
        await PutAsync(policy with { Name = policy.Name.ToUpperInvariant() });
        Assert.Single(await Agenda.ListDueAsync(Sample.Now, Token));
    }

    [Fact]
    public async Task A_job_is_admitted_with_its_item_or_neither_is_written()
    {
        var item = await AddItemAsync(await AddVaultAsync());
        Assert.False(await Agenda.TryFireAsync(item with { Version = 7 }, Sample.Job(item), Token));
        Assert.Equal(0, await Agenda.CountLiveJobsAsync(Token));

        Assert.True(await Agenda.TryFireAsync(item with { ScheduledUntil = s_later }, Sample.Job(item), Token));
        Assert.Equal(1, await Agenda.CountLiveJobsAsync(Token));
        var fired = (await Items.FindAsync(item.Key, Token))!;
        Assert.Equal((s_later, 1), (fired.ScheduledUntil, fired.Version));

        Assert.False(await Agenda.TryFireAsync(fired with { ScheduledUntil = s_later.AddDays(1) }, Sample.Job(item), Token));
        Assert.Equal(s_later, (await Items.FindAsync(item.Key, Token))!.ScheduledUntil);
    }

    [Fact]
    public async Task Points_leave_the_list_with_a_write_of_the_item_and_not_while_a_job_is_live()
    {
        var item = await AddItemAsync(await AddVaultAsync());
        var points = new[] { Sample.Point(item, 1), Sample.Point(item, 2), Sample.Point(item, 3) };
        foreach (var point in points) Assert.True(await Services.GetRequiredService<Strongroom.Backup.Catalogue.ICatalogueWriter>().TryAddAsync(point, Token));
        var doomed = item with { DoomedSnapshots = [points[0].SnapshotId, points[1].SnapshotId] };

        Assert.False(await Agenda.TryUnlistAsync(doomed with { Version = 4 }, [points[0].Name, points[1].Name], Token));
        var job = Sample.Job(item);
        Assert.True(await Ledger.TryAdmitAsync(job, Token));
        Assert.False(await Agenda.TryUnlistAsync(doomed, [points[0].Name, points[1].Name], Token));
        Assert.Equal(3, (await Points.ListAsync(item.Key, Token)).Count);
        Assert.True(await Ledger.TryEndUnbegunAsync(job.Ended(), Token));

        Assert.True(await Agenda.TryUnlistAsync(doomed, [points[0].Name, points[1].Name], Token));
        Assert.Equal(points[2].Name, Assert.Single(await Points.ListAsync(item.Key, Token)).Name);
        Assert.Equal(doomed.DoomedSnapshots, (await Items.FindAsync(item.Key, Token))!.DoomedSnapshots);
    }

    [Fact]
    public async Task Old_jobs_that_are_over_and_old_operations_are_forgotten()
    {
        var vault = await AddVaultAsync();
        var (item, other) = (await AddItemAsync(vault), await AddItemAsync(vault, "web2"));
        var operations = Services.GetRequiredService<IOperationRepository>();
        var (old, young, live) = (Sample.Job(item, minutes: -1).Ended(), Sample.Job(item).Ended(), Sample.Job(other, minutes: -1));
        await Ledger.RecordAsync(old, Token);
        await Ledger.RecordAsync(young, Token);
        Assert.True(await Ledger.TryAdmitAsync(live, Token));
        var (before, after) = (new AsyncOperation { Id = Guid.NewGuid(), VaultKey = vault.Key, StartedAt = Sample.Now.AddSeconds(-1) }, new AsyncOperation { Id = Guid.NewGuid(), VaultKey = vault.Key, StartedAt = Sample.Now });
        await operations.AddAsync(before, Token);
        await operations.AddAsync(after, Token);

        await Agenda.ForgetHistoryAsync(Sample.Now, Sample.Now, Token);

        Assert.Equal(new[] { young.Id, live.Id }.Order(), (await Ledger.ListAsync(vault.Key, new(), null, int.MaxValue, Token)).Select(j => j.Id).Order());
        Assert.Null(await operations.FindAsync(vault.Key, before.Id, Token));
        Assert.NotNull(await operations.FindAsync(vault.Key, after.Id, Token));
    }

    [Fact]
    public async Task An_item_does_not_come_to_a_policy_that_was_deleted_meanwhile()
    {
        var vault = await AddVaultAsync();
        var item = await AddItemAsync(vault);
        Assert.Equal(PolicyDeletion.Deleted, await Policies.DeleteAsync(vault.Key, "EnhancedPolicy", Token));

        Assert.False(await Items.TryUpdateAsync(item with { PolicyName = "EnhancedPolicy" }, Token));
        Assert.False(await Items.TryAddAsync(Sample.Item(vault, "web2") with { PolicyName = "EnhancedPolicy" }, Token));
        Assert.Equal("DefaultPolicy", (await Items.FindAsync(item.Key, Token))!.PolicyName);
        Assert.True(await Items.TryUpdateAsync(item with { PolicyName = "" }, Token));
    }

    private async Task SetAsync(DateTimeOffset? next)
    {
        foreach (var due in await Agenda.ListDueAsync(s_later, Token)) await Agenda.SetNextAsync(due, next, Token);
    }
}
