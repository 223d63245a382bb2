using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Live;

/// <summary>How the guard of a freeze is started.</summary>
public sealed record FreezeGuardOptions
{
    /// <summary>The executable whose first argument is <see cref="FreezeGuard.Verb"/>; null: this process's own.</summary>
    public string? Executable { get; init; }

    /// <summary>How long file systems may stand still before the guard thaws them, whatever the server does.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>
/// A process of its own that thaws a machine when the server dies, or hangs, between freeze and thaw: a machine whose file systems stand still for ever is
/// worse than no backup.
/// </summary>
/// <remarks>
/// It is started and connected before the freeze. On its input it gets the host's URI, the login (two lines, empty without one), the machine's uuid, the number of its run and the limit;
/// it answers "ready". A line "thawed" ends it; the end of its input, or of the limit, makes it thaw first.
/// </remarks>
public sealed class FreezeGuard : IDisposable
{
    /// <summary>The first argument of the executable that means this.</summary>
    public const string Verb = "guard-freeze";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan ThawLimit = TimeSpan.FromHours(1);

    private readonly Process _process;

    private FreezeGuard(Process process) => _process = process;

    /// <summary>It has not ended, whether it was told to or not.</summary>
    internal bool IsThere => !_process.HasExited;

    /// <summary>Starts a guard, and returns when it is ready; null: it does not come up, and nothing must be frozen.</summary>
    internal static FreezeGuard? Start(FreezeGuardOptions options, string uri, LibvirtLogin? login, Guid domain, int run)
    {
        var start = new ProcessStartInfo(options.Executable ?? Environment.ProcessPath ?? throw new InvalidOperationException("This process has no executable."), [Verb])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            return null;
        }

        var guard = new FreezeGuard(process);
        try
        {
            foreach (var line in (string[])[uri, login?.UserName ?? "", login?.Password ?? "", domain.ToString(), run.ToString(CultureInfo.InvariantCulture), ((long)options.Limit.TotalMilliseconds).ToString(CultureInfo.InvariantCulture)])
                process.StandardInput.WriteLine(line);
            process.StandardInput.Flush();
            using var limit = new Timer(_ => guard.Kill(), null, StartLimit, Timeout.InfiniteTimeSpan);
            if (process.StandardOutput.ReadLine() == "ready") return guard;
        }
        catch (IOException)
        {
            // It ended before it was ready.
        }

        guard.Dispose();
        return null;
    }

    /// <summary>Tells it that the machine is thawed.</summary>
    /// <returns>False: it has thawed the machine itself before, because that took too long.</returns>
    public bool End()
    {
        try
        {
            _process.StandardInput.WriteLine("thawed");
            _process.StandardInput.Flush();
        }
        catch (IOException)
        {
            return false;
        }

        return _process.WaitForExit(StartLimit) && _process.ExitCode == 0;
    }

    public void Dispose()
    {
        try
        {
            // The end of its input makes it thaw, should that be due.
            _process.StandardInput.Close();
            // One that does not end yet goes on trying to thaw a machine whose host does not answer.
            _process.WaitForExit(StartLimit);
        }
        catch (Exception exception) when (exception is IOException or InvalidOperationException)
        {
            // It has ended.
        }

        _process.Dispose();
    }

    private void Kill()
    {
        try { _process.Kill(); }
        catch (InvalidOperationException) { }
    }

    /// <summary>What the process does.</summary>
    /// <returns>0: it was told that the machine is thawed. 1: it has thawed the machine. 2: it could not begin.</returns>
    public static int Run()
    {
        var input = Console.In;
        var (uri, user, password, id, run, limit) = (input.ReadLine(), input.ReadLine(), input.ReadLine(), input.ReadLine(), input.ReadLine(), input.ReadLine());
        if (uri is null || limit is null || !Guid.TryParse(id, out var uuid) || !int.TryParse(run, CultureInfo.InvariantCulture, out var number)) return 2;
        // What ends the server (Ctrl-C, a closed terminal, systemd, which tells all processes of a service) is not for this process: it ends after the server.
        using var interrupt = Ignore(PosixSignal.SIGINT);
        using var end = Ignore(PosixSignal.SIGTERM);
        using var hangUp = Ignore(PosixSignal.SIGHUP);
        using var quit = Ignore(PosixSignal.SIGQUIT);
        LibvirtConnection connection;
        try
        {
            connection = LibvirtConnection.Open(uri, string.IsNullOrEmpty(user) ? null : new(user, password ?? ""));
        }
        catch (LibvirtException)
        {
            return 2;
        }

        Console.Out.WriteLine("ready");
        Console.Out.Flush();
        string? told = null;
        using var isTold = new ManualResetEventSlim();
        new Thread(() =>
        {
            told = input.ReadLine();
            isTold.Set();
        })
        { IsBackground = true }.Start();
        if (isTold.Wait(TimeSpan.FromMilliseconds(long.Parse(limit, CultureInfo.InvariantCulture))) && told == "thawed") return 0;
        Thaw(connection, () => LibvirtConnection.Open(uri, string.IsNullOrEmpty(user) ? null : new(user, password ?? "")), uuid, number);
        return 1;
    }

    private static PosixSignalRegistration Ignore(PosixSignal signal) => PosixSignalRegistration.Create(signal, static context => context.Cancel = true);

    /// <summary>Tries for an hour: libvirt may be starting again, or the network be down. A machine that was started anew is not frozen.</summary>
    private static void Thaw(LibvirtConnection connection, Func<LibvirtConnection> open, Guid uuid, int run)
    {
        for (var started = Environment.TickCount64; Environment.TickCount64 - started < ThawLimit.TotalMilliseconds;)
        {
            try
            {
                if (!connection.IsAlive) connection = OpenInTime(open) ?? connection;
                using var domain = connection.FindDomain(uuid);
                if (domain is null || domain.RunNumber != run) return;
                domain.Thaw();
                return;
            }
            catch (LibvirtException)
            {
                Pause.For(TimeSpan.FromSeconds(1));
            }
        }
    }

    /// <summary>libvirt waits for ever for a host that takes a connection and says nothing; null: this one did.</summary>
    private static LibvirtConnection? OpenInTime(Func<LibvirtConnection> open)
    {
        LibvirtConnection? connection = null;
        using var isOver = new ManualResetEventSlim();
        new Thread(() =>
        {
            try { connection = open(); }
            catch (LibvirtException) { }
            try { isOver.Set(); }
            catch (ObjectDisposedException) { }
        })
        { IsBackground = true }.Start();
        return isOver.Wait(StartLimit) ? connection : null;
    }
}
