using System.Globalization;
using System.Text.Json.Nodes;
using Strongroom.Client;

namespace Strongroom.Demo;

/// <summary>A job that ended well, as its last answer described it.</summary>
internal sealed class JobOutcome(JsonNode job)
{
    // The server's additions to the job's internalPropertyBag; Azure's own keys say only whole megabytes.
    public const string BytesScannedKey = "strongroom.bytesScanned";
    public const string BytesReadKey = "strongroom.bytesRead";
    public const string BytesChangedKey = "strongroom.bytesChanged";
    public const string BytesNewKey = "strongroom.bytesNew";
    public const string BytesStoredKey = "strongroom.bytesStored";
    public const string BytesWrittenKey = "strongroom.bytesWritten";

    public string Id { get; } = job.RequireText("the job's name", "name");

    /// <summary>How long the server worked on it; null when its times cannot be read.</summary>
    public TimeSpan? Elapsed { get; } =
        Time(job, "startTime") is { } start && Time(job, "endTime") is { } end && end > start ? end - start : null;

    /// <summary>A number of bytes that the server reports; null when it does not.</summary>
    public long? Bytes(string key) =>
        long.TryParse(job.Text("properties", "extendedInfo", "internalPropertyBag", key), NumberStyles.None, CultureInfo.InvariantCulture, out var bytes)
            ? bytes
            : null;

    /// <summary>A value of the job's property bag; null when it is not there.</summary>
    public string? Property(string key) => job.Text("properties", "extendedInfo", "propertyBag", key);

    private static DateTimeOffset? Time(JsonNode job, string name) =>
        DateTimeOffset.TryParse(job.Text("properties", name), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
}
