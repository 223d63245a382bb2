using System.Collections.Concurrent;

namespace Strongroom.Store.Retention;

/// <summary>Keeps below the store what the policy keeps in it, and knows what the storage retains. Thread-safe.</summary>
/// <remarks>What was granted is remembered for as long as the vault is open; a process that opens it anew asks for each blob once more, which is harmless.</remarks>
internal sealed class RetentionKeeper(VaultStore vault) : IDisposable
{
    private const int Attempts = 4;
    private readonly SemaphoreSlim gate = new(1, 1);
    private readonly ConcurrentDictionary<uint, DateTimeOffset> packs = [];
    private readonly ConcurrentDictionary<string, DateTimeOffset> others = [];
    private readonly ConcurrentDictionary<long, byte> finished = [];

    private IRetainingBackend Backend => Blobs.NoRetention.Or(vault.Packs.Backend);

    /// <summary>True when this vault may have retained blobs: only then is the storage asked about them.</summary>
    public bool IsInUse => vault.Governance.Policy.Immutability == Immutability.Locked;

    public async Task<RetentionReport> ExtendAsync(RetentionOptions options, CancellationToken cancellationToken)
    {
        options.Validate();
        await gate.WaitAsync(cancellationToken);
        try
        {
            await vault.Log.RefreshAsync(cancellationToken);
            if (!IsInUse)
                return new(RetentionState.PolicyNotLocked, "the vault's policy is not locked", 0, 0, null, []);
            if (await Backend.GetSupportAsync(cancellationToken) is { IsAvailable: false } support)
                return new(RetentionState.NotAvailable, support.Detail, 0, 0, null, []);

            // Retention cannot be taken back: a clock that is years ahead would fill the storage for years.
            vault.Governance.RequireClock("Retention cannot be extended");
            for (var attempt = 1; ; attempt++)
            {
                if (await TryExtendAsync(options, attempt == Attempts, cancellationToken) is { } report)
                    return report;
            }
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Until when the storage retains a pack, if that is known or it can tell; null when it may be deleted.</summary>
    public async ValueTask<DateTimeOffset?> FindAsync(uint packSeq, string name, CancellationToken cancellationToken)
    {
        if (!IsInUse)
            return null;
        var now = vault.Log.Now;
        if (packs.TryGetValue(packSeq, out var known) && known > now)
            return known;
        if (await Backend.GetRetainedUntilAsync(name, cancellationToken) is not { } until || until <= now)
            return null;
        packs[packSeq] = until;
        return until;
    }

    /// <summary>Deletes a blob unless the storage retains it; false when it does.</summary>
    public async ValueTask<(bool IsGone, bool WasThere)> TryDeleteAsync(string name, CancellationToken cancellationToken)
    {
        if (others.TryGetValue(name, out var until) && until > vault.Log.Now)
            return (false, true);
        try
        {
            return (true, await vault.Packs.Backend.DeleteAsync(name, cancellationToken));
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.Locked)
        {
            others[name] = await Backend.GetRetainedUntilAsync(name, cancellationToken) ?? vault.Log.Now;
            return (false, true);
        }
    }

    /// <summary>True for a SWEEP of which this process has deleted everything. It may wait behind another, of which the storage retains something.</summary>
    public bool IsFinished(long sweep) => finished.ContainsKey(sweep);

    /// <summary>Remembers SWEEPs of which nothing is left, durably.</summary>
    public void Finish(IEnumerable<long> sweeps)
    {
        if (!IsInUse)
            return;
        foreach (var sweep in sweeps)
            finished.TryAdd(sweep, 0);
    }

    public void Dispose() => gate.Dispose();

    /// <summary>Null when a collection changed meanwhile what is needed.</summary>
    private async Task<RetentionReport?> TryExtendAsync(RetentionOptions options, bool isLast, CancellationToken cancellationToken)
    {
        var plan = new RetentionPlan(vault, options, vault.Log.Now);
        var head = vault.Log.Head;
        try
        {
            await plan.DecideAsync(await vault.RefreshPacksAsync(cancellationToken), mayBeStale: !isLast, cancellationToken);
        }
        catch (StoreException failure) when (failure.IsDamage && !isLast)
        {
            await vault.Log.RefreshAsync(cancellationToken);
            return null;
        }

        var missing = new ConcurrentBag<RetainedBlob>();
        var due = plan.Blobs.Where(blob => !IsGranted(blob)).ToList();
        await Parallel.ForEachAsync(
            due,
            new ParallelOptions { MaxDegreeOfParallelism = options.ConcurrentRequests, CancellationToken = cancellationToken, TaskScheduler = TaskScheduler.Current },
            async (blob, token) =>
            {
                try
                {
                    await Backend.RetainUntilAsync(blob.Name, blob.Until, token);
                    Remember(blob);
                }
                catch (StoreException failure) when (failure.Kind == StoreErrorKind.NotFound)
                {
                    missing.Add(blob);
                }
            });
        if (!missing.IsEmpty && !isLast)
        {
            await vault.Log.RefreshAsync(cancellationToken);
            if (vault.Log.Head != head)
                return null;
        }

        return new(
            RetentionState.Extended,
            (await Backend.GetSupportAsync(cancellationToken)).Detail,
            due.Count - missing.Count,
            plan.Blobs.Count - missing.Count,
            plan.Until,
            [.. plan.Problems, .. missing.Select(blob => $"the blob '{blob.Name}' is missing").Order(StringComparer.Ordinal)]);
    }

    private bool IsGranted(RetainedBlob blob) =>
        (blob.PackSeq is { } packSeq ? packs.TryGetValue(packSeq, out var until) : others.TryGetValue(blob.Name, out until)) && until >= blob.Until;

    private void Remember(RetainedBlob blob)
    {
        if (blob.PackSeq is { } packSeq)
            packs[packSeq] = blob.Until;
        else
            others[blob.Name] = blob.Until;
    }
}
