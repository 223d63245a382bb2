using Microsoft.Extensions.Logging.Abstractions;
using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt.Live;

namespace Strongroom.Workloads.Tests.VirtualMachines.Libvirt;

/// <summary>What a backup left on a host that does not answer is removed when it does.</summary>
public sealed class OwedCleanUpsTests
{
    private static readonly Guid Item = Guid.NewGuid();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_host_that_does_not_answer_is_asked_until_it_does()
    {
        using var owed = New();
        var (tried, done) = (0, new TaskCompletionSource());

        await owed.DoAsync(Item, () =>
        {
            if (++tried < 20) throw Silent();
            done.SetResult();
            return Task.CompletedTask;
        }, tries: 3);

        await done.Task.WaitAsync(Cancellation);
        await owed.StopAsync(Item);
        Assert.Equal(20, tried);
    }

    [Fact]
    public async Task Nothing_is_removed_beside_the_items_next_backup()
    {
        using var owed = New();
        var (trying, gate, isOver) = (new TaskCompletionSource(), new TaskCompletionSource(), false);
        var tried = 0;
        await owed.DoAsync(Item, async () =>
        {
            if (++tried == 1) throw Silent();
            trying.TrySetResult();
            await gate.Task;
            isOver = true;
            throw Silent();
        }, tries: 1);
        await trying.Task.WaitAsync(Cancellation);

        var stopping = owed.StopAsync(Item);
        Assert.False(stopping.IsCompleted);
        gate.SetResult();
        await stopping.WaitAsync(Cancellation);
        Assert.Equal((true, 2), (isOver, tried));
        await owed.StopAsync(Item);
    }

    [Fact]
    public async Task A_host_that_refuses_is_left_to_the_next_backup()
    {
        using var owed = New();
        var tried = 0;
        await owed.DoAsync(Item, () =>
        {
            tried++;
            throw new MachineException(MachineProblem.HostFailed, "It refuses.");
        }, tries: 3);
        Assert.Equal(1, tried);
    }

    private static OwedCleanUps New() => new(TimeSpan.FromTicks(1), TimeProvider.System, NullLogger.Instance);

    private static MachineException Silent() => new(MachineProblem.HostUnreachable, "It does not answer.");
}
