namespace Strongroom.Store.Tests.Fakes;

/// <summary>A disk with so much room and no more.</summary>
internal sealed class FullBackend(IBlobBackend inner) : PassThroughBackend(inner)
{
    private long roomBytes = long.MaxValue;

    public void SetRoom(long bytes) => Interlocked.Exchange(ref roomBytes, bytes);

    public override ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        Take(content.Length);
        return base.PutIfAbsentAsync(name, content, cancellationToken);
    }

    protected override ValueTask AppendAsync(string name, IBlobWriter writer, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        Take(data.Length);
        return base.AppendAsync(name, writer, data, cancellationToken);
    }

    private void Take(long bytes)
    {
        if (Interlocked.Add(ref roomBytes, -bytes) < 0)
            throw new StoreException(StoreErrorKind.Full, "No space is left. Free or add space.");
    }
}
