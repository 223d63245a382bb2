namespace Strongroom.Arm;

/// <summary>One comparison of a <c>$filter</c> that compares with more than <c>eq</c>, as lists of events do.</summary>
/// <param name="Key">As sent; compared without case.</param>
/// <param name="Operator">eq, ge, gt, le or lt.</param>
/// <param name="Value">Without its quotes. Times may stand unquoted.</param>
public sealed record ODataComparison(string Key, string Operator, string Value)
{
    /// <summary>Reads comparisons joined by <c>and</c>; null and blank mean none.</summary>
    /// <exception cref="ArmException">400 InvalidFilterInQueryString, saying what was expected where.</exception>
    public static IReadOnlyList<ODataComparison> Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text)) return [];
        if (text.Length > ODataFilter.MaxLength) throw ArmErrors.InvalidFilter(text, $"it is longer than {ODataFilter.MaxLength} characters");
        var reader = new FilterReader(text);
        List<ODataComparison> found = [];
        do
        {
            found.Add(new(reader.Key(), reader.OneOf("eq", "ge", "gt", "le", "lt"), reader.ValueOrWord()));
        }
        while (reader.Continues());
        return found;
    }
}
