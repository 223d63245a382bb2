using System.Diagnostics.CodeAnalysis;

namespace Strongroom.Store.Blobs;

/// <summary>A bounded cache that forgets the least recently used. Thread-safe.</summary>
internal sealed class RecentlyUsed<TKey, TValue>(int capacity, Action<TValue>? onEvicted = null)
    where TKey : notnull
{
    private readonly Lock gate = new();
    private readonly Dictionary<TKey, LinkedListNode<(TKey Key, TValue Value)>> entries = [];
    private readonly LinkedList<(TKey Key, TValue Value)> order = new();

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
        (TKey Key, TValue Value)? evicted = null;
        lock (gate)
        {
            if (entries.ContainsKey(key))
                return false;
            entries[key] = order.AddFirst((key, value));
            if (entries.Count > capacity)
            {
                evicted = order.Last!.Value;
                order.RemoveLast();
                entries.Remove(evicted.Value.Key);
            }
        }

        if (evicted is { } gone)
            onEvicted?.Invoke(gone.Value);
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
        }

        foreach (var value in gone)
            onEvicted?.Invoke(value);
    }
}
