using System.Globalization;
using Strongroom.Arm;

namespace Strongroom.Api.Insights;

/// <summary>The <c>$filter</c> of the activity log: times with <c>ge</c> and <c>le</c>, the rest with <c>eq</c>.</summary>
internal static class ActivityFilter
{
    /// <exception cref="ArmException">400: no beginning, a time that is none, another key or operator.</exception>
    public static ActivityQuery Read(IReadOnlyList<ODataComparison> comparisons, string subscriptionId, DateTimeOffset now)
    {
        DateTimeOffset? from = null;
        var query = new ActivityQuery(subscriptionId, default, now);
        foreach (ODataComparison comparison in comparisons)
        {
            if (comparison.Key.Equals("eventTimestamp", StringComparison.OrdinalIgnoreCase))
            {
                DateTimeOffset time = Time(comparison);
                if (comparison.Operator is "ge" or "gt") from = time;
                else query = query with { Until = time };
            }
            else
            {
                query = With(query, comparison);
            }
        }
        if (from is not { } first) throw ArmErrors.InvalidFilter("", "it must say from when on: eventTimestamp ge '2026-01-31T00:00:00Z'");
        // What is older is on its way out; whether it is gone already must make no difference.
        DateTimeOffset oldest = now - IActivityLog.Retention;
        return query with { From = first < oldest ? oldest : first };
    }

    private static ActivityQuery With(ActivityQuery query, ODataComparison comparison)
    {
        if (comparison.Operator != "eq") throw ArmErrors.InvalidFilter(comparison.Key, $"'{comparison.Key}' can only be compared by eq");
        string value = comparison.Value;
        return comparison.Key.ToUpperInvariant() switch
        {
            "RESOURCEGROUPNAME" => query with { ResourceGroup = value },
            "RESOURCEURI" or "RESOURCEID" => query with { Scope = value },
            "RESOURCEPROVIDER" => query with { ProviderNamespace = value },
            "CORRELATIONID" => query with { CorrelationId = value },
            "CALLER" => query with { Caller = value },
            "STATUS" => query with { Status = CultureInfo.InvariantCulture.TextInfo.ToTitleCase(value) },
            // All events are of these channels.
            "EVENTCHANNELS" => query,
            _ => throw ArmErrors.InvalidFilter(comparison.Key, $"'{comparison.Key}' cannot be filtered by here; known: eventTimestamp, resourceGroupName, resourceUri, resourceProvider, correlationId, caller, status, eventChannels"),
        };
    }

    private static DateTimeOffset Time(ODataComparison comparison) =>
        comparison.Operator != "eq" && DateTimeOffset.TryParse(comparison.Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
            ? time
            : throw ArmErrors.InvalidFilter(comparison.Value, "eventTimestamp is compared by ge or le with a time such as '2026-01-31T00:00:00Z'");
}
