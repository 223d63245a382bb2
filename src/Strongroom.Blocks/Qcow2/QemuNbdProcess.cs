using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Strongroom.Blocks.Qcow2;

/// <summary>A running qemu-nbd and what it has said; killed at dispose, and by the kernel when this process dies (where util-linux's setpriv is installed).</summary>
internal sealed class QemuNbdProcess : IAsyncDisposable
{
    private const int LongestMessage = 4096;
    private const string SetPrivilegesProgram = "/usr/bin/setpriv";

    private readonly Process _process;
    private readonly StringBuilder _errors = new(); // guarded by itself
    private readonly Task _reading;

    private QemuNbdProcess(Process process)
    {
        _process = process;
        Id = process.Id;
        process.StandardInput.Close();
        _reading = Task.WhenAll(CollectAsync(process.StandardError), CollectAsync(process.StandardOutput));
    }

    public int Id { get; }

    /// <summary>Waits for its end, but not for long.</summary>
    public async Task<bool> ExitsWithinAsync(TimeSpan time, TimeProvider clock, CancellationToken cancellationToken)
    {
        try
        {
            await _process.WaitForExitAsync(cancellationToken).WaitAsync(time, clock, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Starts qemu-nbd (or what stands in for it in a test) with these arguments.</summary>
    /// <exception cref="ToolMissingException">It is not installed.</exception>
    /// <exception cref="IOException">It cannot be run.</exception>
    public static async Task<QemuNbdProcess> StartAsync(string name, IEnumerable<string> arguments)
    {
        var program = FindProgram(name)
            ?? throw new ToolMissingException("qcow2 disks are read with qemu-nbd, which is not installed here. Install it: apt-get install qemu-utils");
        var start = new ProcessStartInfo
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };

        // busybox has a setpriv too, but it lacks this option and lives elsewhere.
        if (File.Exists(SetPrivilegesProgram) && File.ResolveLinkTarget(SetPrivilegesProgram, returnFinalTarget: true) is null)
        {
            start.FileName = SetPrivilegesProgram;
            foreach (var argument in (string[])["--pdeathsig", "KILL", "--no-new-privs", "--", program])
                start.ArgumentList.Add(argument);
        }
        else
        {
            start.FileName = program;
        }

        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["LC_ALL"] = "C";
        try
        {
            return new QemuNbdProcess(await ChildStarter.StartAsync(start).ConfigureAwait(false));
        }
        catch (Win32Exception exception)
        {
            throw new IOException($"Cannot run '{start.FileName}': {exception.Message}", exception);
        }
    }

    /// <summary>What it said, on one line; after it has exited, all of it.</summary>
    public async Task<string> MessageAsync()
    {
        if (_process.HasExited)
            await _reading.ConfigureAwait(false);
        lock (_errors)
            return _errors.ToString().ReplaceLineEndings(" ").Trim();
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            _process.Kill(entireProcessTree: false);
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }

        await _process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        await _reading.ConfigureAwait(false);
        _process.Dispose();
    }

    private static string? FindProgram(string name)
    {
        // A service's PATH often lacks what a person's has.
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Concat(["/usr/bin", "/usr/local/bin", "/usr/sbin"]);
        return folders.Where(Path.IsPathRooted).Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
    }

    private async Task CollectAsync(StreamReader reader)
    {
        var part = new char[1024];
        int count;
        while ((count = await reader.ReadAsync(part, CancellationToken.None).ConfigureAwait(false)) > 0)
        {
            lock (_errors)
                _errors.Append(part, 0, Math.Min(count, LongestMessage - _errors.Length));
        }
    }
}
