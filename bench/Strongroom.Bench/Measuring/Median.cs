namespace Strongroom.Bench.Measuring;

/// <summary>The middle of a few numbers.</summary>
internal static class Median
{
    /// <summary>Of an even count, the mean of the two in the middle.</summary>
    public static double Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        if (sorted.Length == 0)
            throw new InvalidOperationException("There is nothing to take the median of.");
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
