using System.Collections.Concurrent;
using System.Diagnostics;

namespace Strongroom.Libvirt.Hosts;

/// <summary>
/// A libvirtd of the test's own, as root in namespaces: several run at once, and nothing of the machine's own is
/// touched but the loop devices asked for. Its clients are outside and reach it at <see cref="Uri"/>. When it is disposed
/// of, its machines are gone with it.
/// </summary>
internal sealed class Libvirtd : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(5);

    private readonly TempFolder _folder;
    private readonly Namespaces _namespaces;
    private readonly string _virsh;
    private readonly ConcurrentQueue<string> _said = new();
    private readonly List<string> _loopDevices = [];
    private readonly int? _tlsPort;
    private Process? _process;

    private Libvirtd(TempFolder folder, HostFolders folders, int? tlsPort, Namespaces namespaces, string virsh) =>
        (_folder, Folders, _tlsPort, _namespaces, _virsh) = (folder, folders, tlsPort, namespaces, virsh);

    public HostFolders Folders { get; }

    /// <summary>What clients connect to.</summary>
    public string Uri => $"qemu+unix:///system?socket={Folders.LibvirtSocket}";

    /// <summary>What clients connect to by TLS, with a certificate of theirs.</summary>
    /// <exception cref="InvalidOperationException">It was not told to listen.</exception>
    public string TlsUri => TlsUriAt(TlsPort);

    /// <summary>The port of 127.0.0.1 that it listens on.</summary>
    /// <exception cref="InvalidOperationException">It was not told to listen.</exception>
    public int TlsPort => _tlsPort ?? throw new InvalidOperationException("This libvirtd does not listen for TLS.");

    /// <summary>libvirtd's own process id.</summary>
    public int ProcessId => Processes.ChildrenOf(Running.Id).Single();

    /// <summary>What libvirtd said so far on its standard error.</summary>
    public string Log => string.Join('\n', _said);

    /// <summary>All processes that it and its machines are made of.</summary>
    public IReadOnlyList<int> ProcessIds => _namespaces.ProcessIds;

    private Process Running => _process ?? throw new InvalidOperationException("libvirtd does not run.");

    /// <summary>Starts one; where something is missing the test is skipped, or fails where peers are required.</summary>
    /// <param name="emptyFolder">Where to keep all that is its own, and which is removed with it; null for one among the temporary files.</param>
    /// <param name="listensForTls">Whether it listens on a free port of 127.0.0.1 too.</param>
    public static async Task<Libvirtd> StartAsync(CancellationToken cancellationToken, string? emptyFolder = null, bool listensForTls = false)
    {
        Peer.RequireOrSkip("libvirtd", "libvirt-daemon-system");
        Peer.RequireOrSkip("qemu-system-x86_64", "qemu-system-x86");
        var virsh = Peer.RequireOrSkip("virsh", "libvirt-clients");
        if (Directory.GetDirectories("/usr/lib", "libvirt", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1 })
            .All(folder => !File.Exists(Path.Combine(folder, "connection-driver", "libvirt_driver_qemu.so"))))
            Peer.Missing("libvirt has no driver for QEMU: install the package libvirt-daemon-driver-qemu.");
        var folder = emptyFolder is null ? new TempFolder() : new(emptyFolder);
        Libvirtd? libvirtd = null;
        try
        {
            var folders = new HostFolders(folder.Path);
            int? tlsPort = listensForTls ? FreePorts.Take() : null;
            await folders.CreateAsync(tlsPort, cancellationToken);
            libvirtd = new(folder, folders, tlsPort, await Namespaces.CreateAsync(folders.Mounts, cancellationToken), virsh);
            await libvirtd.StartAgainAsync(cancellationToken);
            return libvirtd;
        }
        catch
        {
            if (libvirtd is not null) await libvirtd.DisposeAsync();
            else folder.Dispose();
            throw;
        }
    }

    /// <summary>Ends libvirtd by SIGKILL; its machines run on.</summary>
    public Task KillAsync() => EndAsync("KILL");

    /// <summary>Ends libvirtd by SIGTERM, as a service manager does; its machines run on.</summary>
    public Task StopAsync() => EndAsync("TERM");

    /// <summary>Libvirtd stands still until it is told to go on; connections to it stay open.</summary>
    public Task StandStillAsync() => SignalAsync("STOP", ProcessId);

    /// <summary>Ends a standstill.</summary>
    public async Task GoOnAsync()
    {
        await SignalAsync("CONT", ProcessId);
        // nsenter stops with its child.
        await SignalAsync("CONT", Running.Id);
    }

    /// <summary>Starts libvirtd after its end, and waits until it answers. It takes up the machines that still run.</summary>
    public async Task StartAgainAsync(CancellationToken cancellationToken)
    {
        if (_process is not null)
            throw new InvalidOperationException("libvirtd runs.");
        _process = _namespaces.Start(Peer.RequireOrSkip("libvirtd", "libvirt-daemon-system"), _tlsPort is null ? [] : ["--listen"]);
        _process.ErrorDataReceived += (_, line) => { if (line.Data is not null) _said.Enqueue(line.Data); };
        _process.BeginErrorReadLine();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(StartLimit);
        while ((await CommandResult.RunAsync(_virsh, ["-c", Uri, "version", "--daemon"], null, limit.Token)).ExitCode != 0)
        {
            if (_process.HasExited)
                throw new InvalidOperationException($"libvirtd did not start.\n{Log}");
            await Task.Delay(100, limit.Token);
        }
    }

    /// <summary>QEMU's process id of a machine; null where it does not run.</summary>
    public int? FindQemu(string machine) => ProcessIds.Where(id => Processes.CommandLineOf(id).Contains($"guest={machine},debug-threads=on")).Cast<int?>().SingleOrDefault();

    /// <summary>Runs virsh on it; <see cref="CommandResult.Succeeded"/> is the caller's.</summary>
    public Task<CommandResult> VirshAsync(IEnumerable<string> arguments, CancellationToken cancellationToken) =>
        CommandResult.RunAsync(_virsh, ["-q", "-c", Uri, .. arguments], null, cancellationToken);

    /// <summary>Makes a block device of a file, which is given up with this libvirtd; skips the test where the machine has none.</summary>
    /// <returns>The device's path.</returns>
    public async Task<string> AttachLoopDeviceAsync(string file, CancellationToken cancellationToken)
    {
        var losetup = Peer.RequireOrSkip("losetup", "mount");
        var attached = await CommandResult.RunAsync(losetup, ["--find", "--show", "--direct-io=off", file], null, cancellationToken);
        if (attached.ExitCode != 0)
            Peer.Unsupported($"This machine has no loop devices: {attached.StandardError}");
        var device = attached.StandardOutput.Trim();
        _loopDevices.Add(device);
        return device;
    }

    /// <summary>As <see cref="TlsUri"/>, by another port that leads to it.</summary>
    public string TlsUriAt(int port) => $"qemu+tls://127.0.0.1:{port}/system?pkipath={Folders.Certificates.OfLibvirt}";

    /// <summary>Starts a program that sees what libvirtd sees, and ends with it.</summary>
    public Process StartBeside(string program, IEnumerable<string> arguments) => _namespaces.Start(program, arguments);

    public async ValueTask DisposeAsync()
    {
        await _namespaces.DisposeAsync();
        if (_process is not null)
            await ForgetAsync();
        foreach (var device in _loopDevices)
            await CommandResult.RunAsync("losetup", ["--detach", device], null, CancellationToken.None);
        _folder.Dispose();
    }

    private async Task EndAsync(string signal)
    {
        await SignalAsync(signal, ProcessId);
        await ForgetAsync();
    }

    private static async Task SignalAsync(string signal, int processId) =>
        (await CommandResult.RunAsync("kill", ["-s", signal, $"{processId}"], null, CancellationToken.None)).Succeeded();

    private async Task ForgetAsync()
    {
        await Running.WaitForExitAsync();
        Running.Dispose();
        _process = null;
    }
}
