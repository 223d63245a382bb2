using System.Text.RegularExpressions;
using Strongroom.Arm;

namespace Strongroom.Api.Authorization;

/// <summary>A <c>$filter</c> of roles and assignments: comparisons, and the functions <c>atScope()</c> and <c>assignedTo('id')</c>, joined by <c>and</c>.</summary>
internal sealed partial record RoleFilter(bool IsAtScope, ODataFilter Comparisons)
{
    /// <exception cref="ArmException">400 InvalidFilterInQueryString.</exception>
    public static RoleFilter Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text)) return new(false, ODataFilter.None);
        if (text.Length > ODataFilter.MaxLength) throw ArmErrors.InvalidFilter(text, $"it is longer than {ODataFilter.MaxLength} characters");
        // assignedTo is principalId and the groups that principal is in; there are no groups here.
        string comparisons = AssignedTo().Replace(text, "principalId eq '${id}'");
        string rest = AtScope().Replace(comparisons, "");
        return new(rest.Length != comparisons.Length, ODataFilter.Parse(rest));
    }

    /// <exception cref="ArmException">400: a key that this list cannot be filtered by.</exception>
    public RoleFilter OnlyFor(params ReadOnlySpan<string> keys)
    {
        Comparisons.OnlyKeys(keys);
        return this;
    }

    public bool Allows(string key, string? actual) => Comparisons.Allows(key, actual);

    [GeneratedRegex("^\\s*atScope\\(\\)\\s*(and\\s+|$)|\\s+and\\s+atScope\\(\\)(?=\\s|$)", RegexOptions.IgnoreCase)]
    private static partial Regex AtScope();

    [GeneratedRegex("\\bassignedTo\\('(?<id>[0-9a-f-]{36})'\\)", RegexOptions.IgnoreCase)]
    private static partial Regex AssignedTo();
}
