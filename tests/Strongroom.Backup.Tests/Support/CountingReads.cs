using Strongroom.Store;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Backup.Tests.Support;

/// <summary>Counts how often a vault's blobs are read.</summary>
internal sealed class CountingReads(IBlobBackend inner) : PassThroughBackend(inner)
{
    private int _reads;

    /// <summary>Reads since the last look.</summary>
    public int Take() => Interlocked.Exchange(ref _reads, 0);

    public override ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _reads);
        return base.ReadAsync(name, offsetBytes, buffer, cancellationToken);
    }
}
