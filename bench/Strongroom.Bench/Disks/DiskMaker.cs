using System.Globalization;

namespace Strongroom.Bench.Disks;

/// <summary>Makes raw disk images that are like a machine's disk, and changes them like a day of its life. The same each time.</summary>
/// <remarks>
/// A disk is a row of extents of 64 KiB to 4 MiB, multiples of 4 KiB, their lengths evenly spread on a logarithmic scale. Each is a hole, content of
/// files, or random. The kind that is most behind its share is the likeliest next, so that the shares hold up to an extent or so.
/// </remarks>
internal static class DiskMaker
{
    private const int LeastExtentBytes = 64 << 10;
    private const int GreatestExtentBytes = 4 << 20;
    private const int BlockMask = ~4095;

    // How far ahead the shares look: without it the first extents would be drawn from very few kinds.
    private const double LookAheadBytes = 16 << 20;

    private enum Kind
    {
        Zero,
        Text,
        Random,
    }

    /// <summary>Writes the disk as a sparse file; what it holds of zeros, text and random, in bytes.</summary>
    public static (long ZeroBytes, long TextBytes, long RandomBytes) Make(string path, DiskRecipe recipe)
    {
        double[] wanted = [recipe.ZeroShare, recipe.TextShare, recipe.RandomShare];
        var sum = wanted.Sum();
        if (recipe.LengthBytes < 0 || wanted.Any(share => share < 0) || sum <= 0)
            throw new InvalidDataException("A disk needs a size and shares of at least 0, one of them greater.");
        var random = new SequenceRandom(recipe.Seed);
        using var text = new FileContent(recipe.Source);
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
        var made = new long[3];
        var buffer = new byte[GreatestExtentBytes];
        for (var offset = 0L; offset < recipe.LengthBytes;)
        {
            var drawn = LeastExtentBytes * Math.Pow((double)GreatestExtentBytes / LeastExtentBytes, random.NextFraction());
            var length = (int)Math.Min((int)drawn & BlockMask, recipe.LengthBytes - offset);
            var until = offset + length + LookAheadBytes;
            var kind = Draw([.. wanted.Select((share, i) => Math.Max(0, (share / sum * until) - made[i]))], random);
            var extent = buffer.AsSpan(0, length);
            if (kind == Kind.Text)
                text.Fill(extent);
            else if (kind == Kind.Random)
                random.Fill(extent);
            if (kind != Kind.Zero)
                RandomAccess.Write(file, extent, offset);
            made[(int)kind] += length;
            offset += length;
        }

        RandomAccess.SetLength(file, recipe.LengthBytes);
        return (made[0], made[1], made[2]);
    }

    /// <summary>Rewrites extents at random places, by turns with text and with random bytes; the changed runs in order.</summary>
    /// <param name="path">The disk.</param>
    /// <param name="recipe">How much of it, and with what.</param>
    /// <param name="changedPath">Takes a line <c>offset length</c> for each, as a change tracker would report them. May be null.</param>
    public static IReadOnlyList<(long OffsetBytes, int LengthBytes)> Change(string path, ChangeRecipe recipe, string? changedPath)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write);
        var length = RandomAccess.GetLength(file);
        var places = length / recipe.ExtentBytes;
        var count = (long)(length * recipe.Percent / 100 / recipe.ExtentBytes);
        if (recipe.ExtentBytes <= 0 || count < 0 || count > places)
            throw new InvalidDataException("The changes do not fit on the disk.");
        var random = new SequenceRandom(recipe.Seed);
        var chosen = new SortedSet<long>();
        while (chosen.Count < count)
            chosen.Add(random.NextBelow(places));
        using var text = new FileContent(recipe.Source);

        // From elsewhere than where the disk took its own text, or the changes would be known content.
        text.Skip(length > 1L << 30 ? 300 << 20 : 8 << 20);
        var extent = new byte[recipe.ExtentBytes];
        var changed = new List<(long, int)>();
        foreach (var place in chosen)
        {
            if (changed.Count % 2 == 0)
                text.Fill(extent);
            else
                random.Fill(extent);
            RandomAccess.Write(file, extent, place * extent.Length);
            changed.Add((place * extent.Length, extent.Length));
        }

        if (changedPath is not null)
            File.WriteAllLines(changedPath, changed.Select(run => string.Create(CultureInfo.InvariantCulture, $"{run.Item1} {run.Item2}")));
        return changed;
    }

    private static Kind Draw(double[] weights, SequenceRandom random)
    {
        var at = random.NextFraction() * weights.Sum();
        for (var i = 0; i < weights.Length - 1; i++)
        {
            at -= weights[i];
            if (at < 0)
                return (Kind)i;
        }

        return weights[^1] > 0 ? (Kind)(weights.Length - 1) : Kind.Zero;
    }
}
