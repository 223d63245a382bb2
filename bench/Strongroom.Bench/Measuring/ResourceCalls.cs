using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Strongroom.Bench.Measuring;

/// <summary>What the kernel knows of processes and of its page cache, and .NET does not say.</summary>
internal static partial class ResourceCalls
{
    private const int Children = -1;
    private const int ThreadCpuClock = 3;
    private const int DontNeed = 4;
    private const int ReadProtection = 1;
    private const int SharedMapping = 1;

    /// <summary>CPU seconds of all children that have ended, and the greatest resident set among them: getrusage(2).</summary>
    public static (double CpuSeconds, long PeakRssBytes) UsageOfChildren()
    {
        var usage = default(ResourceUsage);
        if (GetUsage(Children, ref usage) != 0)
            throw new InvalidOperationException($"getrusage: {Marshal.GetLastPInvokeErrorMessage()}");
        var cpu = usage.UserSeconds + usage.SystemSeconds + ((usage.UserMicroseconds + usage.SystemMicroseconds) / 1e6);
        return (cpu, usage.PeakRssKilobytes * 1024);
    }

    /// <summary>CPU seconds of the calling thread, to the nanosecond: clock_gettime(2).</summary>
    public static double ThreadCpuSeconds()
    {
        var time = default(TimeSpecification);
        if (GetTime(ThreadCpuClock, ref time) != 0)
            throw new InvalidOperationException($"clock_gettime: {Marshal.GetLastPInvokeErrorMessage()}");
        return time.Seconds + (time.Nanoseconds / 1e9);
    }

    /// <summary>Waits until everything written by anybody is on the disk: sync(2).</summary>
    [LibraryImport("libc", EntryPoint = "sync")]
    public static partial void Sync();

    /// <summary>Drops a file's clean pages from the page cache: posix_fadvise(2).</summary>
    public static void DropCache(string path)
    {
        using var file = File.OpenHandle(path);
        if (Advise(file, 0, 0, DontNeed) is not 0 and var error)
            throw new InvalidOperationException($"posix_fadvise {path}: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    /// <summary>Bytes of a file that lie in the page cache: mincore(2).</summary>
    public static long CachedBytes(string path)
    {
        using var file = File.OpenHandle(path);
        var length = RandomAccess.GetLength(file);
        if (length == 0)
            return 0;
        var address = Map(0, (nuint)length, ReadProtection, SharedMapping, file, 0);
        if (address == -1)
            throw new InvalidOperationException($"mmap {path}: {Marshal.GetLastPInvokeErrorMessage()}");
        try
        {
            var pages = new byte[(length + Environment.SystemPageSize - 1) / Environment.SystemPageSize];
            if (InCore(address, (nuint)length, pages) != 0)
                throw new InvalidOperationException($"mincore {path}: {Marshal.GetLastPInvokeErrorMessage()}");
            return pages.LongCount(page => (page & 1) != 0) * Environment.SystemPageSize;
        }
        finally
        {
            _ = Unmap(address, (nuint)length);
        }
    }

    [LibraryImport("libc", EntryPoint = "getrusage", SetLastError = true)]
    private static partial int GetUsage(int who, ref ResourceUsage usage);

    [LibraryImport("libc", EntryPoint = "clock_gettime", SetLastError = true)]
    private static partial int GetTime(int clock, ref TimeSpecification time);

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(SafeFileHandle file, long offset, long length, int advice);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, SafeFileHandle file, long offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "mincore", SetLastError = true)]
    private static partial int InCore(nint address, nuint length, [Out] byte[] pages);

    /// <summary>struct timespec of 64-bit Linux.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpecification
    {
        public long Seconds;
        public long Nanoseconds;
    }

    /// <summary>struct rusage of 64-bit Linux.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 144)]
    private struct ResourceUsage
    {
        public long UserSeconds;
        public long UserMicroseconds;
        public long SystemSeconds;
        public long SystemMicroseconds;
        public long PeakRssKilobytes;
    }
}
