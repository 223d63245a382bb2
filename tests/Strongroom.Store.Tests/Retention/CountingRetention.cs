using System.Collections.Concurrent;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Retention;

/// <summary>Memory that counts how often each blob is retained.</summary>
internal sealed class CountingRetention(MemoryBackend inner) : BentBackend(inner), IRetainingBackend
{
    private readonly ConcurrentDictionary<string, int> counts = [];

    public int CountOf(string name) => counts.GetValueOrDefault(name);

    public ValueTask<RetentionSupport> GetSupportAsync(CancellationToken cancellationToken) => Inner.GetSupportAsync(cancellationToken);

    public ValueTask RetainUntilAsync(string name, DateTimeOffset until, CancellationToken cancellationToken)
    {
        counts.AddOrUpdate(name, 1, (_, count) => count + 1);
        return Inner.RetainUntilAsync(name, until, cancellationToken);
    }

    public ValueTask<DateTimeOffset?> GetRetainedUntilAsync(string name, CancellationToken cancellationToken) => Inner.GetRetainedUntilAsync(name, cancellationToken);
}
