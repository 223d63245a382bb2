using System.Diagnostics;
using System.Globalization;

namespace Strongroom.Bench.Measuring;

/// <summary>What a process took since its start, with the children that it has waited for.</summary>
/// <param name="CpuSeconds">User and system time; of the process alone.</param>
/// <param name="ReadBytes">Read by read(2) and its kin, from the page cache too (rchar of proc_pid_io(5)).</param>
internal sealed record ProcessCounters(double CpuSeconds, long ReadBytes)
{
    public static ProcessCounters Read(int processId)
    {
        using var process = Process.GetProcessById(processId);
        var read = File.ReadLines($"/proc/{processId}/io").First(line => line.StartsWith("rchar:", StringComparison.Ordinal));
        return new(process.TotalProcessorTime.TotalSeconds, long.Parse(read["rchar:".Length..], CultureInfo.InvariantCulture));
    }

    public static ProcessCounters operator -(ProcessCounters after, ProcessCounters before) =>
        new(after.CpuSeconds - before.CpuSeconds, after.ReadBytes - before.ReadBytes);
}
