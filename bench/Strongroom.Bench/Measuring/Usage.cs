using System.Text.Json.Nodes;

namespace Strongroom.Bench.Measuring;

/// <summary>What a command took, with all its children.</summary>
/// <param name="WallSeconds">From its start to its end.</param>
/// <param name="CpuSeconds">User and system time.</param>
/// <param name="PeakRssBytes">The greatest resident set of any one of its processes. Below about 45 MB it cannot be told: the process that starts it is as large.</param>
/// <param name="ReadBytes">Read by read(2) and its kin, from the page cache too; from files, pipes and sockets.</param>
internal sealed record Usage(double WallSeconds, double CpuSeconds, long PeakRssBytes, long ReadBytes)
{
    public static Usage Read(JsonNode json) => new(
        json["wallSeconds"]!.GetValue<double>(), json["cpuSeconds"]!.GetValue<double>(), json["peakRssBytes"]!.GetValue<long>(), json["readBytes"]!.GetValue<long>());

    public JsonObject ToJson() => new() { ["wallSeconds"] = WallSeconds, ["cpuSeconds"] = CpuSeconds, ["peakRssBytes"] = PeakRssBytes, ["readBytes"] = ReadBytes };
}
