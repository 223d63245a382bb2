using System.Globalization;

namespace Strongroom.Bench.Disks;

/// <summary>Sizes as people write them: <c>64K</c>, <c>2G</c>, <c>1.5T</c> (powers of 1,024).</summary>
internal static class ByteSize
{
    public static bool TryParse(string text, out long bytes)
    {
        var unit = text.Length == 0 ? -1 : "KMGT".IndexOf(char.ToUpperInvariant(text[^1]), StringComparison.Ordinal);
        var isNumber = double.TryParse(unit < 0 ? text : text[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number);
        bytes = isNumber ? (long)(number * Math.Pow(1024, unit + 1)) : 0;
        return isNumber;
    }
}
