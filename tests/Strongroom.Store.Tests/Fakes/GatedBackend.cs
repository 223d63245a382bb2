namespace Strongroom.Store.Tests.Fakes;

/// <summary>While it is closed its reads wait; it counts them.</summary>
internal sealed class GatedBackend() : PassThroughBackend(new MemoryBackend())
{
    private TaskCompletionSource? gate;
    private int reads;

    /// <summary>Reads that were begun since it was closed.</summary>
    public int Reads => Volatile.Read(ref reads);

    public void Close()
    {
        reads = 0;
        gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public void Open() => gate?.TrySetResult();

    public override async ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref reads);
        if (gate is { } closed)
            await closed.Task.WaitAsync(cancellationToken);
        return await base.ReadAsync(name, offsetBytes, buffer, cancellationToken);
    }
}
