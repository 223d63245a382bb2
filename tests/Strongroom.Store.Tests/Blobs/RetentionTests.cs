using Microsoft.Extensions.Time.Testing;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Blobs;

/// <summary>Back ends that retain blobs, and those that cannot.</summary>
public sealed class RetentionTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task Memory_that_retains_keeps_every_rule_and_so_do_decorators()
    {
        var budget = new BackendBudget(new(RequestsPerSecond: 1_000_000), TimeProvider.System);
        var backend = new BudgetedBackend(new RetryingBackend(new MemoryBackend(TimeProvider.System), new(), TimeProvider.System), budget);
        var report = await Conformance.RunAsync(backend);
        Assert.Equal([], report.Results.Where(result => !result.HasPassed).Select(result => $"{result.Rule}: {result.Violation}"));
        Assert.Contains(report.Results, result => result.Rule == "retain");
    }

    [Fact]
    public async Task A_decorator_of_what_retains_nothing_says_so()
    {
        var backend = new BudgetedBackend(new RetryingBackend(new BentBackend(), new(), TimeProvider.System), new(BackendLimits.None, TimeProvider.System));
        Assert.False((await backend.GetSupportAsync(Token)).IsAvailable);
        Assert.Null(await backend.GetRetainedUntilAsync("a", Token));
        var failure = await Assert.ThrowsAsync<StoreException>(async () => await backend.RetainUntilAsync("a", Start, Token));
        Assert.Equal(StoreErrorKind.Unsupported, failure.Kind);
        var report = await Conformance.RunAsync(backend);
        Assert.DoesNotContain(report.Results, result => result.Rule == "retain");
    }

    [Fact(Timeout = 300_000)]
    public async Task Files_are_marked_immutable_until_their_time()
    {
        using var folder = new TemporaryFolder();
        var time = new FakeTimeProvider(Start);
        using var backend = new LocalBackend(folder.Path, time);
        await RequireSupportAsync(backend);
        await backend.PutIfAbsentAsync("packs/00/a", new byte[100], Token);
        await backend.RetainUntilAsync("packs/00/a", Start.AddDays(1.5), Token);
        try
        {
            var path = Path.Combine(folder.Path, "packs/00/a");
            Assert.Throws<UnauthorizedAccessException>(() => File.Delete(path));
            Assert.Throws<UnauthorizedAccessException>(() => File.WriteAllBytes(path, new byte[3]));
            Assert.Equal(StoreErrorKind.Locked, (await Assert.ThrowsAsync<StoreException>(async () => await backend.DeleteAsync("packs/00/a", Token))).Kind);
            Assert.Equal(Start.AddDays(1.5), await backend.GetRetainedUntilAsync("packs/00/a", Token));

            await backend.RetainUntilAsync("packs/00/a", Start.AddDays(3), Token);
            await backend.RetainUntilAsync("packs/00/a", Start.AddDays(2), Token);
            time.Advance(TimeSpan.FromDays(2.5));
            Assert.Equal(StoreErrorKind.Locked, (await Assert.ThrowsAsync<StoreException>(async () => await backend.DeleteAsync("packs/00/a", Token))).Kind);
            Assert.Equal(100, await backend.GetLengthAsync("packs/00/a", Token));
        }
        finally
        {
            time.Advance(TimeSpan.FromDays(1));
            Assert.True(await backend.DeleteAsync("packs/00/a", Token));
        }

        Assert.False(await backend.DeleteAsync("packs/00/a", Token));
    }

    [Fact(Timeout = 300_000)]
    public async Task A_local_disk_that_can_retain_keeps_every_rule()
    {
        using var folder = new TemporaryFolder();
        using var backend = new LocalBackend(folder.Path);
        await RequireSupportAsync(backend);
        await Conformance.RequireAsync(backend);
    }

    [Fact]
    public async Task A_folder_in_memory_or_without_the_right_says_why_it_cannot()
    {
        // /proc knows no files of ours; /dev/shm takes no flag before Linux 6.6.
        using var backend = new LocalBackend($"/dev/shm/strongroom-{Guid.NewGuid():N}");
        try
        {
            var support = await backend.GetSupportAsync(Token);
            Assert.NotEmpty(support.Detail);
            await backend.PutIfAbsentAsync("a", new byte[1], Token);
            if (!support.IsAvailable)
                Assert.Equal(StoreErrorKind.Unsupported, (await Assert.ThrowsAsync<StoreException>(async () => await backend.RetainUntilAsync("a", Start.AddYears(100), Token))).Kind);
            Assert.True(await backend.DeleteAsync("a", Token));
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(backend.PathOf("a"))!, recursive: true);
        }
    }

    /// <summary>Needs CAP_LINUX_IMMUTABLE and a file system that knows the flag.</summary>
    private static async Task RequireSupportAsync(LocalBackend backend)
    {
        var support = await backend.GetSupportAsync(Token);
        Assert.SkipUnless(support.IsAvailable, support.Detail);
    }
}
