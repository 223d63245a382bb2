namespace Strongroom.Architecture.Tests;

/// <summary>
/// The four floors of docs/architecture.md. A project may reference projects of lower floors only, so every arrow
/// points down and two rooms of one floor never know each other.
/// </summary>
internal static class Floors
{
    public static IReadOnlyDictionary<string, int> Of { get; } = new Dictionary<string, int>(StringComparer.Ordinal)
    {
        ["Strongroom.Store"] = 1,
        ["Strongroom.Blocks"] = 1,
        ["Strongroom.Arm"] = 1,
        ["Strongroom.Identity"] = 1,
        ["Strongroom.Portal"] = 1,
        ["Strongroom.Backup"] = 2,
        ["Strongroom.Store.AzureBlob"] = 2,
        ["Strongroom.Store.S3"] = 2,
        ["Strongroom.Store.Locations"] = 3,
        ["Strongroom.Api"] = 3,
        ["Strongroom.Workloads"] = 3,
        ["Strongroom.Metadata"] = 3,
        ["Strongroom.Cluster"] = 3,
        ["Strongroom"] = 4,
    };

    /// <summary>What is wrong with one reference, or null when it points down.</summary>
    public static string? Violation(string from, string to)
    {
        if (!Of.TryGetValue(from, out var fromFloor))
            return $"{from} has no floor: name it in Floors.cs and docs/architecture.md";
        if (!Of.TryGetValue(to, out var toFloor))
            return $"{from} -> {to}: {to} has no floor";
        if (toFloor < fromFloor)
            return null;
        return toFloor == fromFloor
            ? $"{from} -> {to}: both are on floor {fromFloor}"
            : $"{from} (floor {fromFloor}) -> {to} (floor {toFloor}) points up";
    }
}
