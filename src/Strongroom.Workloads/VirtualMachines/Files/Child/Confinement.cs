using System.Runtime.InteropServices;

namespace Strongroom.Workloads.VirtualMachines.Files.Child;

/// <summary>What the process that reads file systems gives up before it touches one.</summary>
internal static partial class Confinement
{
    private const int SetNoNewPrivileges = 38; // prctl(2)
    private const int FileSizeLimit = 1, DataLimit = 2, CoreLimit = 4; // setrlimit(2)
    private const int Kill = 9;
    private const int NetworkNamespace = 0x40000000; // unshare(2)

    // What the guest writes into its throw-away copy, and the names of one folder.
    private const long MaxFileBytes = 4L << 30;

    // Of each process. The appliance has its memory, and as much as 1 GiB for what the emulated processor has translated.
    private const long MaxDataBytes = 3L << 30;

    /// <summary>A process group of its own, which ends as one.</summary>
    /// <exception cref="InvalidOperationException">It could not be had: then <see cref="EndGroup"/> would end others.</exception>
    public static void LeadGroup() => Must(SetProcessGroup(0, 0), "setpgid");

    /// <summary>Ends this process and all that it has started.</summary>
    public static void EndGroup() => _ = SendSignal(0, Kill);

    /// <summary>No core files, no endless ones, no new privileges; and another user where this is root.</summary>
    /// <param name="user">The user and group to become; null: the same as before.</param>
    /// <param name="groups">Further groups.</param>
    /// <exception cref="InvalidOperationException">Something of it could not be had.</exception>
    public static void Enter(uint? user, uint[] groups)
    {
        Must(SetLimit(CoreLimit, new(0, 0)), "setrlimit");
        Must(SetLimit(DataLimit, new(MaxDataBytes, MaxDataBytes)), "setrlimit");
        Must(SetLimit(FileSizeLimit, new(MaxFileBytes, MaxFileBytes)), "setrlimit");
        if (user is { } id)
        {
            // Of this thread and of what it starts: the appliance. Where the server's own confinement forbids it, it has the server's network.
            _ = Unshare(NetworkNamespace);
            // libc changes all threads.
            Must(SetGroups((nuint)groups.Length, groups), "setgroups");
            Must(SetGroupIds(id, id, id), "setresgid");
            Must(SetUserIds(id, id, id), "setresuid");
            // Whoever left the group of an earlier reader: this user is nobody else's now. The signal goes to all that this user may send one to, but to itself.
            if (ReaderUser.Is(id)) _ = SendSignal(-1, Kill);
        }

        Must(Control(SetNoNewPrivileges, 1, 0, 0, 0), "prctl");
    }

    /// <summary>Standard output as a file of its own; what libraries write goes to standard error from now on.</summary>
    public static Stream TakeOutput()
    {
        var own = Duplicate(1);
        Must(own, "dup");
        Must(DuplicateTo(2, 1), "dup2");
        return new FileStream(new Microsoft.Win32.SafeHandles.SafeFileHandle(own, ownsHandle: true), FileAccess.Write, bufferSize: 0);
    }

    private static void Must(int result, string call)
    {
        if (result < 0) throw new InvalidOperationException($"{call} failed with error {Marshal.GetLastPInvokeError()}.");
    }

    private readonly record struct Limit(long Soft, long Hard);

    [LibraryImport("libc", EntryPoint = "setpgid", SetLastError = true)]
    private static partial int SetProcessGroup(int process, int group);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int process, int signal);

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    private static partial int Unshare(int namespaces);

    [LibraryImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    private static partial int SetLimit(int resource, in Limit limit);

    [LibraryImport("libc", EntryPoint = "setgroups", SetLastError = true)]
    private static partial int SetGroups(nuint count, [In] uint[] groups);

    [LibraryImport("libc", EntryPoint = "setresgid", SetLastError = true)]
    private static partial int SetGroupIds(uint real, uint effective, uint saved);

    [LibraryImport("libc", EntryPoint = "setresuid", SetLastError = true)]
    private static partial int SetUserIds(uint real, uint effective, uint saved);

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int Control(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport("libc", EntryPoint = "dup", SetLastError = true)]
    private static partial int Duplicate(int file);

    [LibraryImport("libc", EntryPoint = "dup2", SetLastError = true)]
    private static partial int DuplicateTo(int file, int other);
}
