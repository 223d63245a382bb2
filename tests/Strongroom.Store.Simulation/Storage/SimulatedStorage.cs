namespace Strongroom.Store.Simulation.Storage;

/// <summary>The blobs behind all doors: what is visible, and what of it a power cut would take. Used by the simulation's one thread.</summary>
internal sealed class SimulatedStorage
{
    private readonly Dictionary<string, Blob> blobs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Blob> ghosts = new(StringComparer.Ordinal);
    private IReadOnlyList<string>? names;
    private long created;

    /// <summary>Names of blobs whose bytes were changed behind everybody's back.</summary>
    public IReadOnlyCollection<string> Damaged => [.. Names.Where(name => blobs[name].IsDamaged)];

    /// <summary>Sorted, but where names differ in random digits only, in the order of their creation: so it is the same in each run of a seed.</summary>
    public IReadOnlyList<string> Names => names ??= [.. InOrder(blobs).Select(blob => blob.Key)];

    public byte[]? Find(string name) => blobs.GetValueOrDefault(name)?.Content;

    /// <summary>A name, or what there may be of one, without the random digits at the end that index segments and relocation tables have.</summary>
    public static string StableName(string name)
    {
        var isRandom = name.StartsWith("idx/", StringComparison.Ordinal) || name.StartsWith("gc/", StringComparison.Ordinal);
        return isRandom && name.LastIndexOf('-') is var end and > 0 ? name[..end] : name;
    }

    /// <summary>Shows a blob; it lasts only once it is synced.</summary>
    public bool TryAdd(string name, byte[] content)
    {
        names = null;
        return blobs.TryAdd(name, new(content, created++));
    }

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
        names = null;
        if (!blobs.Remove(name, out var blob))
            return false;
        if (blob.IsDurable)
            ghosts[name] = blob;
        return true;
    }

    /// <summary>Each thing that was not made to last is there afterwards, or is not.</summary>
    public void CutPower(Random random)
    {
        foreach (var name in Names.Where(name => !blobs[name].IsDurable))
        {
            if (random.Next(2) == 0)
                blobs.Remove(name);
            else
                blobs[name].IsDurable = true;
        }

        foreach (var (name, blob) in InOrder(ghosts))
        {
            if (random.Next(2) == 0)
                blobs.TryAdd(name, blob);
        }

        ghosts.Clear();
        names = null;
    }

    /// <summary>The same blobs as they are, all of them durable; what is done to either does not touch the other.</summary>
    public SimulatedStorage Clone()
    {
        var clone = new SimulatedStorage();
        foreach (var (name, blob) in InOrder(blobs))
            clone.blobs[name] = new(blob.Content, clone.created++) { IsDurable = true, IsDamaged = blob.IsDamaged };
        return clone;
    }

    /// <summary>Says that a damaged blob is what it was before, or is gone.</summary>
    public void Forgive(string name)
    {
        if (blobs.TryGetValue(name, out var blob))
            blob.IsDamaged = false;
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

    private static IEnumerable<KeyValuePair<string, Blob>> InOrder(Dictionary<string, Blob> some) =>
        some.OrderBy(blob => StableName(blob.Key), StringComparer.Ordinal).ThenBy(blob => blob.Value.Order);

    private sealed class Blob(byte[] content, long order)
    {
        public long Order => order;

        public byte[] Content { get; set; } = content;

        public bool IsDurable { get; set; }

        public bool IsDamaged { get; set; }
    }
}
