namespace Strongroom.Server;

/// <summary>Whether the configured storages answer, asked at most every half minute: <c>/readyz</c> is open to everybody. Thread-safe.</summary>
internal sealed class StorageHealth(ConfiguredPlaces places, ILogger<StorageHealth> log) : IDisposable
{
    private static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(30);
    private readonly SemaphoreSlim _asking = new(1, 1);
    private IReadOnlyList<string> _unreachable = [];
    private long? _askedAt;

    /// <summary>The names of the storages that do not answer; why is in the server's log.</summary>
    public async Task<IReadOnlyList<string>> FindUnreachableAsync(CancellationToken cancellationToken)
    {
        await _asking.WaitAsync(cancellationToken);
        try
        {
            // Real time, never a tester's: the network knows no other.
            if (_askedAt is { } at && TimeProvider.System.GetElapsedTime(at) < KeptFor) return _unreachable;
            var found = await places.FindUnreachableAsync(cancellationToken);
            foreach (var (name, why) in found.Where(f => !_unreachable.Contains(f.Name))) log.LogError("Storage '{Name}' cannot be reached: {Why}", name, why);
            foreach (var name in _unreachable.Where(n => found.All(f => f.Name != n))) log.LogWarning("Storage '{Name}' can be reached again", name);
            _unreachable = [.. found.Select(f => f.Name)];
            _askedAt = TimeProvider.System.GetTimestamp();
            return _unreachable;
        }
        finally
        {
            _asking.Release();
        }
    }

    public void Dispose() => _asking.Dispose();
}
