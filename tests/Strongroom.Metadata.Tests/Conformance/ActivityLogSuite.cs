using Microsoft.Extensions.DependencyInjection;
using Strongroom.Arm;
using Strongroom.Metadata.Tests.Support;

namespace Strongroom.Metadata.Tests.Conformance;

public abstract class ActivityLogSuite : DatabaseSuite
{
    private const string Subscription = "11111111-2222-3333-4444-555555555555";
    private const string Lab = "/subscriptions/" + Subscription + "/resourceGroups/lab";

    private static readonly ActivityQuery All = new(Subscription, Sample.Now.AddDays(-365), Sample.Now.AddDays(365));

    private IActivityLog Log => Services.GetRequiredService<IActivityLog>();

    [Fact]
    public async Task Events_come_back_whole_newest_first_and_in_pages()
    {
        var events = Enumerable.Range(0, 5).Select(n => New(Sample.Now.AddSeconds(n))).ToArray();
        foreach (var activity in events) await Log.AppendAsync(activity, Token);

        var first = await Log.ListAsync(All, null, 3, Token);
        var rest = await Log.ListAsync(All, first[^1].Number, 3, Token);

        Assert.Equal(events.Reverse(), first.Concat(rest).Select(e => e.Activity));
    }

    [Fact]
    public async Task A_query_leaves_out_what_it_does_not_ask_for()
    {
        var wanted = New(Sample.Now) with { Scope = Lab + "/providers/Microsoft.RecoveryServices/vaults/v1", Action = "Microsoft.RecoveryServices/vaults/write", StatusCode = 403, CorrelationId = "C1" };
        ActivityEvent[] others = [New(Sample.Now), New(Sample.Now.AddDays(-2)), New(Sample.Now) with { Scope = Lab + "2" }, New(Sample.Now) with { Scope = "/subscriptions/00000000-2222-3333-4444-555555555555" }];
        foreach (var activity in others.Append(wanted)) await Log.AppendAsync(activity, Token);

        Assert.Equal(4, (await Log.ListAsync(All, null, 10, Token)).Count);
        Assert.Equal(3, (await Log.ListAsync(All with { ResourceGroup = "LAB" }, null, 10, Token)).Count);
        Assert.Equal(3, (await Log.ListAsync(All with { From = Sample.Now, Until = Sample.Now }, null, 10, Token)).Count);
        foreach (var query in new[]
        {
            All with { Scope = wanted.Scope.ToUpperInvariant() }, All with { ProviderNamespace = "microsoft.recoveryservices" }, All with { Status = "Failed" },
            All with { CorrelationId = "c1" }, All with { Caller = wanted.Caller.ObjectId.ToString() }, All with { Caller = wanted.Caller.ClientId },
        })
            Assert.Equal([wanted], (await Log.ListAsync(query, null, 10, Token)).Select(e => e.Activity));
    }

    [Fact]
    public async Task What_is_older_than_the_retention_is_removed_and_nothing_else()
    {
        var (old, kept) = (New(Sample.Now - IActivityLog.Retention - TimeSpan.FromTicks(1)), New(Sample.Now - IActivityLog.Retention));
        await Log.AppendAsync(old, Token);
        await Log.AppendAsync(kept, Token);

        Assert.Equal(1, await Log.PruneAsync(Sample.Now, Token));
        Assert.Equal([kept], (await Log.ListAsync(All, null, 10, Token)).Select(e => e.Activity));
    }

    [Fact]
    public async Task Events_of_many_requests_at_once_are_all_kept()
    {
        await AtOnceAsync(64, async n =>
        {
            await Log.AppendAsync(New(Sample.Now.AddSeconds(n)), Token);
            return true;
        });
        Assert.Equal(64, (await Log.ListAsync(All, null, 100, Token)).Count);
    }

    private static ActivityEvent New(DateTimeOffset time)
    {
        var principal = Guid.NewGuid();
        return new(Guid.NewGuid(), time, new(principal, "app-" + principal), "Microsoft.Resources/subscriptions/resourceGroups/write", Lab, "PUT", 200, Guid.NewGuid().ToString(), "request", null, "127.0.0.1");
    }
}
