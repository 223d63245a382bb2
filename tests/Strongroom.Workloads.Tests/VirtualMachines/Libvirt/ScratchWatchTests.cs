using Strongroom.Workloads.VirtualMachines.Libvirt.Live;

namespace Strongroom.Workloads.Tests.VirtualMachines.Libvirt;

/// <summary>The room for what a machine overwrites while it is read, as it is looked at again and again.</summary>
public sealed class ScratchWatchTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_room_that_cannot_be_told_for_a_while_is_looked_at_again()
    {
        var reason = new TaskCompletionSource<string>();
        var looks = 0;
        await using var watch = new ScratchWatch(new Space(_ => ++looks switch
        {
            1 => throw new IOException("Stale file handle."),
            2 => throw new UnauthorizedAccessException(),
            3 => Task.FromResult<ScratchRoom?>(null),
            _ => Task.FromResult<ScratchRoom?>(new(100 << 20, 1 << 20)),
        }), reason.SetResult);

        Assert.Contains("only 1 MiB left", await reason.Task.WaitAsync(Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_look_that_hangs_does_not_keep_the_watch_from_ending()
    {
        var looking = new TaskCompletionSource();
        var watch = new ScratchWatch(new Space(_ =>
        {
            looking.TrySetResult();
            return new TaskCompletionSource<ScratchRoom?>().Task;
        }), _ => { });
        await looking.Task.WaitAsync(Cancellation);

        await watch.DisposeAsync().AsTask().WaitAsync(Cancellation);
    }

    private sealed class Space(Func<CancellationToken, Task<ScratchRoom?>> look) : ScratchSpace("/scratch")
    {
        public override TimeSpan Interval => TimeSpan.FromMilliseconds(1);

        public override int IntervalsAhead => 2;

        public override Task<ScratchRoom?> LookAsync(CancellationToken cancellationToken) => look(cancellationToken);
    }
}
