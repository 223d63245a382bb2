namespace Strongroom.Store.Simulation.Storage;

/// <summary>The blobs behind all doors: what is visible, and what of it a power cut would take. Used by the simulation's one thread.</summary>
internal sealed class SimulatedStorage
{
    private readonly SortedDictionary<string, Blob> blobs = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, Blob> ghosts = new(StringComparer.Ordinal);

    /// <summary>Names of blobs whose bytes were changed behind everybody's back.</summary>
    public IReadOnlyCollection<string> Damaged => [.. blobs.Where(blob => blob.Value.IsDamaged).Select(blob => blob.Key)];

    public IReadOnlyCollection<string> Names => blobs.Keys;

    public byte[]? Find(string name) => blobs.GetValueOrDefault(name)?.Content;

    /// <summary>Shows a blob; it lasts only once it is synced.</summary>
    public bool TryAdd(string name, byte[] content) => blobs.TryAdd(name, new(content));

    /// <summary>Makes the visible names that begin with <paramref name="prefix"/>, and deletions among them, last.</summary>
    public void Sync(string prefix)
    {
        foreach (var (name, blob) in blobs)
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal))
                blob.IsDurable = true;
        }

        foreach (var name in ghosts.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).ToList())
            ghosts.Remove(name);
    }

    /// <summary>Hides a blob; a power cut may bring it back.</summary>
    public bool Delete(string name)
    {
        if (!blobs.Remove(name, out var blob))
            return false;
        if (blob.IsDurable)
            ghosts[name] = blob;
        return true;
    }

    /// <summary>Each thing that was not made to last is there afterwards, or is not.</summary>
    public void CutPower(Random random)
    {
        foreach (var name in blobs.Where(blob => !blob.Value.IsDurable).Select(blob => blob.Key).ToList())
        {
            if (random.Next(2) == 0)
                blobs.Remove(name);
            else
                blobs[name].IsDurable = true;
        }

        foreach (var (name, blob) in ghosts)
        {
            if (random.Next(2) == 0)
                blobs.TryAdd(name, blob);
        }

        ghosts.Clear();
    }

    /// <summary>Flips a bit of a blob, or cuts it short.</summary>
    public void Damage(string name, Random random)
    {
        var blob = blobs[name];
        if (blob.Content.Length == 0)
            return;
        blob.Content = random.Next(4) == 0 ? blob.Content[..random.Next(blob.Content.Length)] : [.. blob.Content];
        if (blob.Content.Length > 0 && !blob.IsDamaged)
            blob.Content[random.Next(blob.Content.Length)] ^= (byte)(1 << random.Next(8));
        blob.IsDamaged = true;
    }

    private sealed class Blob(byte[] content)
    {
        public byte[] Content { get; set; } = content;

        public bool IsDurable { get; set; }

        public bool IsDamaged { get; set; }
    }
}
