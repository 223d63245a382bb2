using System.Diagnostics;
using Strongroom.Backup.FileShares;

namespace Strongroom.Workloads.Tests.FileShares;

/// <summary>Shares on mounts that do not answer.</summary>
public sealed class HungShareTests : IAsyncLifetime
{
    private const string NoAnswer = "not answer";
    private ShareLab _lab = null!;

    public async ValueTask InitializeAsync() => _lab = await ShareLab.StartAsync();

    public ValueTask DisposeAsync() => _lab.DisposeAsync();

    [Fact(Timeout = 300_000)]
    public async Task A_share_that_does_not_answer_is_told_of_and_holds_up_no_other()
    {
        _lab.Write("docs/a", "1");
        using var hung = new HungMount(Directory.CreateDirectory(Path.Combine(_lab.Root, "hung")).FullName);
        Assert.Equal(["docs", "hung"], await _lab.NamesAsync());
        // More than there are threads for them.
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => RequireNoAnswerAsync(() => _lab.SnapshotAsync("hung"))));
        await RequireNoAnswerAsync(async () => await _lab.Fabric.OpenTargetAsync(await _lab.ShareAsync("hung"), CancellationToken.None));
        await RequireNoAnswerAsync(async () => await _lab.Fabric.EndBackupAsync(await _lab.ShareAsync("hung"), Guid.NewGuid(), CancellationToken.None));
        Assert.Equal(1, (await _lab.BackUpAsync("docs")).Result.Statistics.Files);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_root_that_does_not_answer_is_told_of_however_many_ask()
    {
        using var hung = new HungMount(Directory.CreateDirectory(Path.Combine(_lab.Root, "root")).FullName);
        _lab.Servers.Add(new(ShareLab.Subscription, "lab", "nas2", "home", [new("mine", _lab.Folder("shares/mine"))], Path.Combine(_lab.Root, "root")));
        var account = (await _lab.Fabric.FindAccountAsync(ShareLab.Subscription, "lab", "nas2", CancellationToken.None))!;
        await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => RequireNoAnswerAsync(() => _lab.Fabric.ListSharesAsync(account, CancellationToken.None))));
        Assert.Equal(["mine", "root"], await _lab.NamesAsync());
    }

    private static async Task RequireNoAnswerAsync(Func<Task> ask)
    {
        var watch = Stopwatch.StartNew();
        var failure = await Assert.ThrowsAsync<ShareException>(ask);
        Assert.Equal(ShareProblem.ServerFailed, failure.Problem);
        Assert.Contains(NoAnswer, failure.Message, StringComparison.Ordinal);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, 5 * ShareLab.AnswerLimit);
    }
}
