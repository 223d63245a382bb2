using Strongroom.TimeTravel;

namespace Strongroom.Hosting.Tests;

public sealed class A_movable_clock : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly TemporaryFolder folder = new();
    private readonly MovableClock clock = new(TimeSpan.FromDays(100));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Is_ahead_of_the_machines_and_never_goes_back()
    {
        var before = TimeProvider.System.GetUtcNow() + TimeSpan.FromDays(100);
        // First the stamp: what passes between the two counts as elapsed.
        var stamp = clock.GetTimestamp();
        var now = clock.GetUtcNow();
        Assert.InRange(now, before, before.AddMinutes(5));

        clock.MoveTo(now.AddYears(2));
        var later = clock.GetUtcNow();
        Assert.InRange(later, now.AddYears(2), now.AddYears(2).AddMinutes(5));
        Assert.InRange(clock.GetElapsedTime(stamp), now.AddYears(2) - now, now.AddYears(2).AddMinutes(5) - now);

        clock.MoveTo(now);
        Assert.True(clock.GetUtcNow() >= later);
    }

    [Fact]
    public async Task Wakes_who_sleeps_one_after_another_at_the_time_that_each_waits_for()
    {
        var begin = clock.GetUtcNow();
        var woken = new System.Collections.Concurrent.ConcurrentQueue<int>();
        Task[] sleepers = [.. new[] { 40, 3, 17 }.Select(SleepAsync)];
        // None of them waits for a time so early.
        Assert.False(clock.TryStep(begin.AddDays(2)));

        for (var steps = 1; clock.TryStep(begin.AddDays(20)); steps++)
        {
            Assert.True(await clock.SettleAsync(0, Patience, Token));
            await UntilAsync(() => woken.Count == steps);
        }

        Assert.Equal([3, 17], woken);
        Assert.True(clock.TryStep(begin.AddDays(41)));
        await Task.WhenAll(sleepers).WaitAsync(Patience, Token);
        Assert.Equal([3, 17, 40], woken);

        async Task SleepAsync(int days)
        {
            await Task.Delay(begin.AddDays(days) - clock.GetUtcNow(), clock, Token);
            // Task.Delay counts in whole milliseconds, rounded down.
            Assert.InRange(clock.GetUtcNow(), begin.AddDays(days).AddMilliseconds(-2), begin.AddDays(days).AddMinutes(5));
            woken.Enqueue(days);
        }
    }

    [Fact]
    public async Task Waits_for_who_was_woken_until_it_sleeps_again()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var rounds = 0;
        var loop = LoopAsync();
        var until = clock.GetUtcNow().AddDays(10).AddHours(1);
        while (clock.TryStep(until)) Assert.True(await clock.SettleAsync(1, Patience, Token));

        Assert.Equal(10, rounds);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loop);
        Assert.Equal(0, clock.Sleepers);

        async Task LoopAsync()
        {
            while (true)
            {
                await Task.Delay(TimeSpan.FromDays(1), clock, stop.Token);
                await Task.Delay(TimeSpan.FromMilliseconds(20), stop.Token);
                rounds++;
            }
        }
    }

    [Fact]
    public async Task Does_not_wait_for_ever_for_who_does_not_sleep_again()
    {
        var once = Task.Delay(TimeSpan.FromDays(1), clock, Token);
        Assert.True(clock.TryStep(clock.GetUtcNow().AddDays(2)));
        Assert.False(await clock.SettleAsync(1, TimeSpan.FromMilliseconds(50), Token));
        await once.WaitAsync(Patience, Token);
    }

    [Fact]
    public async Task Fires_a_timer_of_a_period_once_for_each_of_them_and_none_that_was_disposed_of()
    {
        var begin = clock.GetUtcNow();
        var fired = 0;
        await using var timer = clock.CreateTimer(_ => Interlocked.Increment(ref fired), null, TimeSpan.FromDays(1), TimeSpan.FromDays(1));
        var disposed = clock.CreateTimer(_ => Interlocked.Add(ref fired, 1000), null, TimeSpan.FromDays(1), Timeout.InfiniteTimeSpan);
        await disposed.DisposeAsync();

        while (clock.TryStep(begin.AddDays(5).AddHours(1)))
        {
            var before = Volatile.Read(ref fired);
            Assert.True(await clock.SettleAsync(1, Patience, Token));
            await UntilAsync(() => Volatile.Read(ref fired) > before);
        }

        Assert.Equal(5, fired);
        Assert.False(disposed.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan));
    }

    [Fact]
    public async Task Runs_on_by_itself()
    {
        var stamp = clock.GetTimestamp();
        await Task.Delay(TimeSpan.FromMilliseconds(30), clock, Token).WaitAsync(Patience, Token);
        Assert.True(clock.GetElapsedTime(stamp) >= TimeSpan.FromMilliseconds(30));
    }

    [Fact]
    public void Goes_on_where_the_data_folder_was_left()
    {
        var start = new DateTimeOffset(2001, 2, 3, 4, 5, 6, TimeSpan.Zero);
        using var data = DataFolder.Open(folder["data"]);
        var first = Assert.IsType<MovableClock>(ClockFile.Open(data, true, start));
        Assert.InRange(first.GetUtcNow(), start, start.AddMinutes(5));

        new ClockFile(data.ClockFile).Write(first.Ahead + TimeSpan.FromDays(1000));
        // Where it begins is told again at each start of the same command.
        var next = ClockFile.Open(data, true, start);
        Assert.InRange(next.GetUtcNow(), start.AddDays(1000), start.AddDays(1000).AddMinutes(5));
    }

    [Fact]
    public void Is_for_data_folders_of_its_own()
    {
        using var real = DataFolder.Open(folder["real"]);
        Assert.Same(TimeProvider.System, ClockFile.Open(real, false, null));
        File.WriteAllText(real.AdministratorFile, "{}");
        Assert.Contains("made without --time-travel", Assert.Throws<DataFolderException>(() => ClockFile.Open(real, true, null)).Message, StringComparison.Ordinal);
        Assert.False(File.Exists(real.ClockFile));

        using var moved = DataFolder.Open(folder["moved"]);
        ClockFile.Open(moved, true, null);
        Assert.Contains("made with --time-travel", Assert.Throws<DataFolderException>(() => ClockFile.Open(moved, false, null)).Message, StringComparison.Ordinal);

        File.WriteAllText(moved.ClockFile, "tomorrow\n");
        Assert.Contains(moved.ClockFile, Assert.Throws<InvalidDataException>(() => ClockFile.Open(moved, true, null)).Message, StringComparison.Ordinal);
    }

    /// <summary>Waits without keeping a thread, of which the sleepers may need the only one.</summary>
    private static async Task UntilAsync(Func<bool> isSo)
    {
        var begin = TimeProvider.System.GetTimestamp();
        while (!isSo())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(begin) < Patience);
            await Task.Delay(1, Token);
        }
    }
}
