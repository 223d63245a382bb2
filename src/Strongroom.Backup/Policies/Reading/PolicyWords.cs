using System.Collections.Immutable;
using System.Globalization;

namespace Strongroom.Backup.Policies.Reading;

/// <summary>The words and times of a policy.</summary>
internal static class PolicyWords
{
    private static readonly string[] s_formats =
    [
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK",
        "yyyy-MM-dd'T'HH:mmK",
    ];

    /// <summary>A policy's times of the day: of what is written as a time in UTC only the time of the day counts, and it is meant in the policy's zone.</summary>
    public static bool TryTime(string text, out DateTimeOffset time) =>
        DateTimeOffset.TryParseExact(text, s_formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time);

    /// <summary>The times of a list, ascending.</summary>
    public static ImmutableArray<TimeOnly> Times(this PolicyNode node, string name) => [.. node.Texts(name).Select(t => Parse(t, node.PathOf(name))).Order()];

    /// <summary>A single time of the day.</summary>
    public static TimeOnly Time(this PolicyNode node, string name) => Parse(node.RequiredText(name), node.PathOf(name));

    /// <summary>Days of the week, each once, at least one.</summary>
    public static ImmutableArray<DayOfWeek> Days(this PolicyNode node, string name) => node.Words<DayOfWeek>(name, "a day of the week");

    /// <summary>Words of an enumeration, each once, at least one.</summary>
    public static ImmutableArray<T> Words<T>(this PolicyNode node, string name, string kind)
        where T : struct, Enum
    {
        var texts = node.Texts(name);
        if (texts.IsEmpty) throw node.Missing(name);
        var words = texts.Select(t => TryWord<T>(t, out var word) ? word : throw PolicyRefusals.Input($"'{Cut(t)}' in '{node.PathOf(name)}' is not {kind}.")).Order().ToImmutableArray();
        return words.Distinct().Count() == words.Length ? words : throw PolicyRefusals.Input($"'{node.PathOf(name)}' names something twice.");
    }

    public static string Cut(string text) => text.Length > 60 ? text[..60] + "..." : text;

    // Numbers are no words, though the parser of enumerations takes them for some.
    private static bool TryWord<T>(string text, out T word)
        where T : struct, Enum
    {
        word = default;
        return text.Length > 0 && char.IsAsciiLetter(text[0]) && !text.Contains(',', StringComparison.Ordinal) && Enum.TryParse(text, ignoreCase: true, out word);
    }

    private static TimeOnly Parse(string text, string path)
    {
        if (!TryTime(text, out var time)) throw PolicyRefusals.Input($"'{Cut(text)}' in '{path}' is not a time such as 2026-01-01T03:00:00Z.");
        var ofDay = TimeOnly.FromTimeSpan(time.TimeOfDay);
        return ofDay.Ticks % TimeSpan.FromMinutes(30).Ticks == 0 ? ofDay : throw PolicyRefusals.Input($"'{Cut(text)}' in '{path}' is not on a full or half hour.");
    }
}
