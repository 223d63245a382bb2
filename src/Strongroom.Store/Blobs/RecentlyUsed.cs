using System.Diagnostics.CodeAnalysis;

namespace Strongroom.Store.Blobs;

/// <summary>A bounded cache that forgets the least recently used. Thread-safe.</summary>
/// <param name="capacity">The greatest sum of weights.</param>
/// <param name="onEvicted">Called for each value that leaves, outside the lock.</param>
/// <param name="weightOf">The weight of a value, always the same; 1 by default, so that <paramref name="capacity"/> is a count.</param>
internal sealed class RecentlyUsed<TKey, TValue>(long capacity, Action<TValue>? onEvicted = null, Func<TValue, long>? weightOf = null)
    where TKey : notnull
{
    private readonly Lock gate = new();
    private readonly Dictionary<TKey, LinkedListNode<(TKey Key, TValue Value)>> entries = [];
    private readonly LinkedList<(TKey Key, TValue Value)> order = new();
    private long weight;

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        lock (gate)
        {
            if (entries.TryGetValue(key, out var node))
            {
                order.Remove(node);
                order.AddFirst(node);
                value = node.Value.Value;
                return true;
            }
        }

        value = default;
        return false;
    }

    /// <summary>Adds, or keeps what is there already: then <paramref name="value"/> is not taken and false is returned.</summary>
    public bool TryAdd(TKey key, TValue value)
    {
        List<TValue>? evicted = null;
        lock (gate)
        {
            if (entries.ContainsKey(key))
                return false;
            entries[key] = order.AddFirst((key, value));
            weight += WeightOf(value);

            // The newest stays, however heavy it is.
            while (weight > capacity && entries.Count > 1)
            {
                var last = order.Last!.Value;
                order.RemoveLast();
                entries.Remove(last.Key);
                weight -= WeightOf(last.Value);
                (evicted ??= []).Add(last.Value);
            }
        }

        foreach (var gone in evicted ?? [])
            onEvicted?.Invoke(gone);
        return true;
    }

    public void Remove(TKey key)
    {
        LinkedListNode<(TKey Key, TValue Value)>? node;
        lock (gate)
        {
            if (!entries.Remove(key, out node))
                return;
            order.Remove(node);
            weight -= WeightOf(node.Value.Value);
        }

        onEvicted?.Invoke(node.Value.Value);
    }

    public void Clear()
    {
        List<TValue> gone;
        lock (gate)
        {
            gone = [.. order.Select(entry => entry.Value)];
            entries.Clear();
            order.Clear();
            weight = 0;
        }

        foreach (var value in gone)
            onEvicted?.Invoke(value);
    }

    private long WeightOf(TValue value) => weightOf?.Invoke(value) ?? 1;
}
