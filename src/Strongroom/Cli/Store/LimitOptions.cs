using System.CommandLine;
using System.Globalization;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary>The options <c>--limit-rate</c> and <c>--limit-requests</c>: what the storage may be asked for each second.</summary>
/// <param name="storage">Whose storage that is.</param>
internal sealed class LimitOptions(string storage = "the vault's storage")
{
    private const string Units = "KMGT";

    private readonly Option<long?> rate = RateOption("--limit-rate", $"The most bytes each second that are read from {storage}, and as many that are written to it, such as 500K, 20M or 1G (powers of 1,024). No limit without it.");

    private readonly Option<long?> requests = new("--limit-requests")
    {
        Description = $"The most requests each second to {storage}. No limit without it.",
        CustomParser = result =>
        {
            var text = result.Tokens is [var token] ? token.Value : "";
            if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0)
                return count;
            result.AddError($"--limit-requests takes a whole number above 0, not '{text}'.");
            return null;
        },
    };

    public void AddTo(Command command)
    {
        command.Add(rate);
        command.Add(requests);
    }

    public BackendLimits Read(ParseResult parsed) => new(parsed.GetValue(rate), parsed.GetValue(rate), parsed.GetValue(requests));

    /// <summary>A budget of its own, or null where nothing is limited.</summary>
    public BackendBudget? MakeBudget(ParseResult parsed, TimeProvider time) => Read(parsed) is var limits && limits == BackendLimits.None ? null : new(limits, time);

    /// <summary>An option whose value is a rate in bytes per second.</summary>
    internal static Option<long?> RateOption(string name, string description) => new(name)
    {
        Description = description,
        CustomParser = result =>
        {
            var text = result.Tokens is [var token] ? token.Value : "";
            if (ParseRate(text) is { } bytes)
                return bytes;
            result.AddError($"{name} takes bytes per second such as 500K, 20M or 1G, not '{text}'.");
            return null;
        },
    };

    /// <summary>Bytes, or null for what is no rate.</summary>
    internal static long? ParseRate(string text)
    {
        var unit = text.Length > 0 ? Units.IndexOf(char.ToUpperInvariant(text[^1]), StringComparison.Ordinal) : -1;
        var digits = unit < 0 ? text : text[..^1];
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0 && count <= long.MaxValue >> (10 * (unit + 1))
            ? count << (10 * (unit + 1))
            : null;
    }
}
