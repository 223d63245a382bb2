using Strongroom.Backup.Items;

namespace Strongroom.Backup.Jobs;

/// <summary>New jobs of an item.</summary>
public static class JobFactory
{
    public static Job New(ProtectedItem item, string operation, DateTimeOffset now) => new()
    {
        Id = Guid.NewGuid(),
        VaultKey = item.VaultKey,
        ItemKey = item.Key,
        NativeName = item.NativeName,
        FriendlyName = item.FriendlyName,
        Operation = operation,
        State = JobStates.InProgress,
        StartedAt = now,
    };
}

/// <summary>Wakes the worker when a job was admitted, so that it need not wait for its next look at the ledger.</summary>
public sealed class JobSignal : IDisposable
{
    private readonly SemaphoreSlim _raised = new(0, 1);

    public void Raise()
    {
        try { _raised.Release(); }
        catch (SemaphoreFullException) { /* Raised already: one look at the ledger finds all jobs. */ }
    }

    /// <summary>Returns when raised, or after <paramref name="atMost"/>.</summary>
    public Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken) => _raised.WaitAsync(atMost, cancellationToken);

    public void Dispose() => _raised.Dispose();
}
