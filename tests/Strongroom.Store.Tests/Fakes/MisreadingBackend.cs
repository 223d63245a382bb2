using Strongroom.Store.Log;

namespace Strongroom.Store.Tests.Fakes;

/// <summary>One process's way to a storage that is sound: some reads of log entries bring a wrong bit.</summary>
internal sealed class MisreadingBackend : BentBackend
{
    private int misreads;

    /// <summary>How many of the next reads of log entries beyond <see cref="After"/> go wrong.</summary>
    public int Misreads
    {
        get => misreads;
        set => misreads = value;
    }

    /// <summary>Log entries up to this one are read right.</summary>
    public long After { get; set; } = long.MaxValue;

    public override async ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var count = await base.ReadAsync(name, offsetBytes, buffer, cancellationToken);
        if (LogEntry.ParseName(name) is { } sequence && sequence > After && Interlocked.Decrement(ref misreads) >= 0)
            buffer.Span[count / 2] ^= 4;
        return count;
    }
}
