using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace Strongroom.Bench.Peers;

/// <summary>What the numbers were measured on, and with which versions.</summary>
internal static class Machine
{
    public static bool IsOnPath(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(':', StringSplitOptions.RemoveEmptyEntries)
        .Any(folder => File.Exists(Path.Combine(folder, name)));

    public static async Task<JsonObject> DescribeAsync(IEnumerable<string> tools, CancellationToken cancellationToken)
    {
        var versions = new JsonObject();
        foreach (var tool in tools.Where(IsOnPath))
            versions[tool] = await VersionAsync(tool, cancellationToken);
        return new()
        {
            ["processor"] = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim(),
            ["cores"] = Environment.ProcessorCount,
            ["memoryBytes"] = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
            ["system"] = RuntimeInformation.OSDescription,
            ["runtime"] = RuntimeInformation.FrameworkDescription,
            ["versions"] = versions,
        };
    }

    private static async Task<string> VersionAsync(string tool, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(tool, tool == "restic" ? "version" : "--version") { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return output.Trim();
    }
}
