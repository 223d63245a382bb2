using Strongroom.Arm;

namespace Strongroom.Api.Resources;

/// <summary><c>tagName eq 'x' and tagValue eq 'y'</c>: the part of a filter that speaks of tags.</summary>
internal readonly record struct TagFilter(string? Name, string? Value)
{
    public static string[] Keys { get; } = ["tagName", "tagValue"];

    /// <exception cref="ArmException">400: a value without its name.</exception>
    public static TagFilter Read(ODataFilter filter)
    {
        var read = new TagFilter(filter["tagName"], filter["tagValue"]);
        if (read is { Name: null, Value: not null }) throw ArmErrors.InvalidFilter("tagValue", "tagValue needs tagName beside it");
        return read;
    }

    /// <summary>Tag names compare without case, tag values with it: the one place where Resource Manager distinguishes.</summary>
    public bool Allows(IReadOnlyDictionary<string, string> tags)
    {
        if (Name is null) return true;
        foreach ((string name, string value) in tags)
        {
            if (name.Equals(Name, StringComparison.OrdinalIgnoreCase)) return Value is null || value == Value;
        }
        return false;
    }
}
