using System.Globalization;
using Strongroom.Arm;

namespace Strongroom.Api.RecoveryServices;

/// <summary>Times in a <c>$filter</c>.</summary>
internal static class FilterTimes
{
    private static readonly string[] Formats =
        ["yyyy-MM-dd hh:mm:ss tt", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", "yyyy-MM-dd"];

    /// <summary>The time that a filter names, as clients write it (12-hour, UTC) or ISO 8601; null where it names none.</summary>
    /// <exception cref="ArmException">400: it is no time.</exception>
    public static DateTimeOffset? Read(ODataFilter filter, string key)
    {
        if (filter[key] is not { Length: > 0 } text) return null;
        return DateTimeOffset.TryParseExact(text, Formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at)
            ? at
            : throw ArmErrors.InvalidQueryParameter("$filter", $"'{key}' is not a time such as '2026-01-31 05:00:00 PM'");
    }
}
