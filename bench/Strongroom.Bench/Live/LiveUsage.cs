using System.Globalization;
using System.Text.Json.Nodes;
using System.Xml;
using Strongroom.Bench.Measuring;

namespace Strongroom.Bench.Live;

/// <summary>What a backup took of its tool.</summary>
/// <param name="WallSeconds">From when it was asked for to its end.</param>
/// <param name="CpuSeconds">User and system time of all the tool's processes.</param>
/// <param name="ReadBytes">Read by them with read(2) and its kin.</param>
/// <param name="Job">What the tool says of it; null: it says nothing.</param>
internal sealed record LiveUsage(double WallSeconds, double CpuSeconds, long ReadBytes, LiveJob? Job)
{
    public static LiveUsage Of(Usage usage) => new(usage.WallSeconds, usage.CpuSeconds, usage.ReadBytes, null);
}

/// <summary>A backup as its job of ours has it.</summary>
/// <param name="Seconds">From its admission to its end.</param>
/// <param name="SnapshotSeconds">Until the machine's moment was taken.</param>
/// <param name="TransferSeconds">Until all was committed and the host was clean.</param>
/// <param name="ReadBytes">Read from the machine's disks.</param>
/// <param name="StoredBytes">Written to the vault.</param>
/// <param name="FrozenMilliseconds">How long the guest's file systems stood still.</param>
internal sealed record LiveJob(double Seconds, double SnapshotSeconds, double TransferSeconds, long ReadBytes, long StoredBytes, long FrozenMilliseconds)
{
    /// <param name="job">As the API shows one that has completed.</param>
    public static LiveJob Parse(JsonNode job)
    {
        var properties = job["properties"]!;
        var extended = properties["extendedInfo"]!;
        var bag = extended["internalPropertyBag"]!;
        long Number(string name) => long.Parse((string?)bag[name] ?? throw new InvalidDataException($"The job does not say {name}: {job.ToJsonString()}"), CultureInfo.InvariantCulture);
        double TaskSeconds(string name) => DurationOf(extended["tasksList"]!.AsArray().Single(task => (string?)task!["taskId"] == name)!);
        return new(
            DurationOf(properties), TaskSeconds("Take Snapshot"), TaskSeconds("Transfer data to vault"), Number("strongroom.bytesRead"), Number("strongroom.bytesStored"), Number("strongroom.frozenMilliseconds"));
    }

    public JsonObject ToJson() => new()
    {
        ["seconds"] = Seconds,
        ["snapshotSeconds"] = SnapshotSeconds,
        ["transferSeconds"] = TransferSeconds,
        ["readBytes"] = ReadBytes,
        ["storedBytes"] = StoredBytes,
        ["frozenMilliseconds"] = FrozenMilliseconds,
    };

    private static double DurationOf(JsonNode of) => XmlConvert.ToTimeSpan((string)of["duration"]!).TotalSeconds;
}
