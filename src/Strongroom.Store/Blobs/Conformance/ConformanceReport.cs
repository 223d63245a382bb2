namespace Strongroom.Store.Blobs.Conformance;

/// <summary>How much a back end is asked to do; the defaults take some seconds on a disk and about a minute on a service.</summary>
public sealed record ConformanceOptions
{
    /// <summary>Writers that race for one name.</summary>
    public int Racers { get; init; } = 12;

    /// <summary>Names raced for.</summary>
    public int RaceRounds { get; init; } = 20;

    /// <summary>Blobs in the longest list; more than 1,000 make a service answer in pages.</summary>
    public int ListedBlobs { get; init; } = 2100;

    /// <summary>Length of the largest blob; more than a pack of 32 MiB by default.</summary>
    public int LargeBlobBytes { get; init; } = 40 << 20;
}

/// <summary>What became of one rule.</summary>
/// <param name="Rule">Its short name, stable for programs.</param>
/// <param name="Requirement">What is required, as a sentence.</param>
/// <param name="Violation">What was seen instead; null when the rule was kept.</param>
/// <param name="Duration">How long it took.</param>
public sealed record ConformanceResult(string Rule, string Requirement, string? Violation, TimeSpan Duration)
{
    /// <summary>True when the rule was kept.</summary>
    public bool HasPassed => Violation is null;
}

/// <summary>All rules in order.</summary>
public sealed record ConformanceReport(IReadOnlyList<ConformanceResult> Results)
{
    /// <summary>True when a vault is safe there.</summary>
    public bool IsConforming => Results.All(result => result.HasPassed);
}
