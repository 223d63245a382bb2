using Strongroom.Store.Manifests;

namespace Strongroom.Store.Collection;

/// <summary>The nodes that a mark has found and not read yet. Thread-safe.</summary>
/// <remarks>
/// The one that was found last is taken first: so a manifest is walked down before it is walked on, and what waits is, beside the roots, what hangs on the ways
/// from the roots to the workers, instead of a whole level of everything.
/// </remarks>
/// <param name="workers">How many take nodes.</param>
internal sealed class PendingNodes(int workers) : IDisposable
{
    private readonly Lock gate = new();
    private readonly Stack<ManifestPointer> nodes = [];
    private readonly SemaphoreSlim available = new(0);
    private int open = 1;

    /// <summary>The most that ever waited.</summary>
    public int GreatestCount { get; private set; }

    public void Add(ManifestPointer node)
    {
        lock (gate)
        {
            open++;
            nodes.Push(node);
            GreatestCount = Math.Max(GreatestCount, nodes.Count);
        }

        available.Release();
    }

    /// <summary>The next node, or null when all are done. <see cref="Done"/> follows when what it points to was added.</summary>
    public async ValueTask<ManifestPointer?> TakeAsync(CancellationToken cancellationToken)
    {
        await available.WaitAsync(cancellationToken);
        lock (gate)
            return nodes.TryPop(out var node) ? node : null;
    }

    /// <summary>A node, or the adding of roots, is done; after the last nobody waits any more.</summary>
    public void Done()
    {
        lock (gate)
        {
            if (--open > 0)
                return;
        }

        available.Release(workers);
    }

    public void Dispose() => available.Dispose();
}
