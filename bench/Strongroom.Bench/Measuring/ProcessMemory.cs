using System.Globalization;

namespace Strongroom.Bench.Measuring;

/// <summary>This process's memory as the kernel counts it, in bytes (proc_pid_status(5)).</summary>
/// <param name="AnonymousBytes">Memory of its own: heaps, stacks.</param>
/// <param name="FileBytes">Mapped files, mostly code; the kernel can drop and read them again.</param>
/// <param name="PeakRssBytes">The greatest of both together so far.</param>
internal sealed record ProcessMemory(long AnonymousBytes, long FileBytes, long PeakRssBytes)
{
    public static ProcessMemory Read()
    {
        var lines = File.ReadAllLines("/proc/self/status");
        return new(Find(lines, "RssAnon:"), Find(lines, "RssFile:"), Find(lines, "VmHWM:"));
    }

    /// <summary>After everything that can be given back was given back.</summary>
    public static ProcessMemory ReadCollected()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return Read();
    }

    /// <summary>Calls of read(2) and its kin that this process made (proc_pid_io(5)).</summary>
    public static long CountReads() =>
        long.Parse(File.ReadLines("/proc/self/io").First(line => line.StartsWith("syscr:", StringComparison.Ordinal))[6..], CultureInfo.InvariantCulture);

    private static long Find(string[] lines, string name)
    {
        var line = lines.First(line => line.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) * 1024;
    }
}
