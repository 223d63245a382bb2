using System.Diagnostics;
using System.Globalization;

namespace Strongroom.Bench.Measuring;

/// <summary>What a process took since its start.</summary>
/// <param name="CpuSeconds">User and system time; of the process alone.</param>
/// <param name="ChildCpuSeconds">The same of the children that it has waited for.</param>
/// <param name="ReadBytes">By it and these children; read by read(2) and its kin, from the page cache too (rchar of proc_pid_io(5)).</param>
internal sealed record ProcessCounters(double CpuSeconds, double ChildCpuSeconds, long ReadBytes)
{
    public static ProcessCounters Read(int processId)
    {
        using var process = Process.GetProcessById(processId);
        var read = File.ReadLines($"/proc/{processId}/io").First(line => line.StartsWith("rchar:", StringComparison.Ordinal));
        return new(process.TotalProcessorTime.TotalSeconds, ChildCpu(processId), long.Parse(read["rchar:".Length..], CultureInfo.InvariantCulture));
    }

    public static ProcessCounters operator -(ProcessCounters after, ProcessCounters before) =>
        new(after.CpuSeconds - before.CpuSeconds, after.ChildCpuSeconds - before.ChildCpuSeconds, after.ReadBytes - before.ReadBytes);

    /// <summary>cutime and cstime of proc_pid_stat(5), in ticks of a hundredth of a second (USER_HZ).</summary>
    private static double ChildCpu(int processId)
    {
        var text = File.ReadAllText($"/proc/{processId}/stat");
        // The name, in parentheses, may have anything in it; the field after it is the third.
        var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return (long.Parse(fields[16 - 3], CultureInfo.InvariantCulture) + long.Parse(fields[17 - 3], CultureInfo.InvariantCulture)) / 100.0;
    }
}
