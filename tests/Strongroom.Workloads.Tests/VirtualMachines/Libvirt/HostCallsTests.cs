using Strongroom.Workloads.VirtualMachines.Libvirt.Verification;

namespace Strongroom.Workloads.Tests.VirtualMachines.Libvirt;

/// <summary>Calls to a host that stands still keep nobody.</summary>
public sealed class HostCallsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_call_that_hangs_is_left_to_itself_and_the_connection_closed_after_it()
    {
        using var gate = new ManualResetEventSlim();
        using var limit = new CancellationTokenSource();
        var connection = new Connection();
        var calls = await HostCalls<Connection>.OpenAsync(() => connection, Cancellation);
        Assert.Equal(7, await calls.RunAsync(_ => 7, Cancellation));
        var hanging = calls.RunAsync(_ => { gate.Wait(); return connection.IsClosed; }, limit.Token);

        await limit.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => hanging);
        Assert.True(calls.Hangs);
        await Assert.ThrowsAsync<InvalidOperationException>(() => calls.RunAsync(_ => 7, Cancellation));
        await calls.DisposeAsync();
        Assert.False(connection.IsClosed);

        gate.Set();
        await connection.Closed.WaitAsync(Cancellation);
    }

    [Fact]
    public async Task A_connection_that_is_opened_too_late_is_closed()
    {
        using var gate = new ManualResetEventSlim();
        using var limit = new CancellationTokenSource();
        var connection = new Connection();
        var opening = HostCalls<Connection>.OpenAsync(() => { gate.Wait(); return connection; }, limit.Token);

        await limit.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => opening);

        gate.Set();
        await connection.Closed.WaitAsync(Cancellation);
    }

    [Fact]
    public async Task A_connection_is_closed_at_the_end()
    {
        var connection = new Connection();
        await using (await HostCalls<Connection>.OpenAsync(() => connection, Cancellation)) Assert.False(connection.IsClosed);
        Assert.True(connection.IsClosed);
    }

    private sealed class Connection : IDisposable
    {
        private readonly TaskCompletionSource _closed = new();

        public Task Closed => _closed.Task;

        public bool IsClosed => _closed.Task.IsCompleted;

        public void Dispose() => _closed.SetResult();
    }
}
