using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging;
using Strongroom.Backup.FileRecovery.Browsing;
using Strongroom.Blocks;
using Strongroom.Blocks.Nbd.Server;
using Strongroom.Workloads.VirtualMachines.Files.Child;

namespace Strongroom.Workloads.VirtualMachines.Files;

/// <summary>A process that reads the file systems on some disks, from its start to its end. Calls take turns.</summary>
/// <remarks>
/// It gets the disks over NBD on Unix sockets, a folder of its own, and no environment of the server. Where the server is root it is a user of
/// its own. It is believed in nothing. When a call takes too long, or its answer cannot be, it is killed, and with it all that it has started.
/// </remarks>
internal sealed partial class ReaderProcess : IAsyncDisposable
{
    private const int Kill = 9;

    // What libguestfs and supermin of the operator's machine may need to be told.
    private static readonly string[] s_passed = ["DOTNET_ROOT", "SUPERMIN_KERNEL", "SUPERMIN_KERNEL_VERSION", "SUPERMIN_MODULES", "LIBGUESTFS_PATH", "LIBGUESTFS_HV"];

    /// <summary>Where programs are looked for.</summary>
    internal const string ProgramPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    private readonly FileReaderOptions _options;
    private readonly ILogger _log;
    private readonly IReadOnlyList<WatchedDisk> _disks;
    private readonly List<NbdServer> _servers = [];
    private readonly SemaphoreSlim _turn = new(1);
    private readonly Process _process = new();
    private readonly Lock _ending = new();
    private ReaderFolder? _folder;
    private ReaderConnection? _connection;
    private Task _ended = Task.CompletedTask;
    private IReadOnlyDictionary<string, string> _devices = new Dictionary<string, string>();
    private volatile bool _isEnded;
    private bool _isReaped;
    private int _isDisposed;
    private volatile Exception? _lost;

    private ReaderProcess(FileReaderOptions options, IReadOnlyList<IBlockDevice> disks, ILogger log) =>
        (_options, _disks, _log) = (options, [.. disks.Select(disk => new WatchedDisk(disk, failure => _lost ??= failure))], log);

    /// <summary>The volumes, in order.</summary>
    public IReadOnlyList<FileEntry> Volumes { get; private set; } = [];

    /// <summary>True when it ended, or was ended: nothing can be asked any more.</summary>
    public bool IsDead => _isEnded || _ended.IsCompleted;

    /// <summary>Starts a process and lets it find the volumes. The disks are its own from here on.</summary>
    /// <param name="appliance">Null: libguestfs makes or finds its own.</param>
    /// <exception cref="FileBrowsingException">NotInstalled, Damaged, Busy or ReaderFailed.</exception>
    public static async Task<ReaderProcess> StartAsync(ReaderHome home, string? appliance, FileReaderOptions options, IReadOnlyList<IBlockDevice> disks, ILogger log, CancellationToken cancellationToken)
    {
        var process = new ReaderProcess(options, disks, log);
        try
        {
            process.Start(home, appliance);
            await process.OpenAsync(cancellationToken);
            return process;
        }
        catch (Exception e)
        {
            await process.DisposeAsync();
            if (e is not (IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception)) throw;
            log.LogWarning("The process that reads file systems did not start: {Reason}", e.Message);
            throw Failed("could not be started");
        }
    }

    /// <summary>The device of a volume.</summary>
    /// <exception cref="FileBrowsingException">NotFound, or Unreadable.</exception>
    public string Device(ReadOnlySpan<byte> volume)
    {
        var name = Encoding.UTF8.GetString(volume);
        var entry = Volumes.FirstOrDefault(v => v.Text == name) ?? throw new FileBrowsingException(FileBrowsingFault.NotFound, $"There is no volume '{name}' in this recovery point.");
        return entry.Volume!.Unreadable is { } reason ? throw new FileBrowsingException(FileBrowsingFault.Unreadable, $"Volume '{name}' cannot be read. {reason}") : _devices[name];
    }

    /// <summary>Asks, and lets the answer be read within this process's turn.</summary>
    /// <param name="limit">Null: the usual.</param>
    /// <param name="cancellationToken">Heeded until it is this call's turn.</param>
    public async Task<T> AskAsync<T>(FrameWriter request, Func<byte[], T> read, TimeSpan? limit, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (IsDead) throw Lost() ?? Failed("has ended");

            // An answer that nobody reads to its end would be the next one's. The time is the machine's own, never a tester's.
            using var clock = new CancellationTokenSource(limit ?? _options.RequestLimit);
            var answer = read(await _connection!.AskAsync(request, clock.Token));
            // It may have come of what could not be read: a file system that is not found, a folder that is empty.
            if (Lost() is { } lost) throw lost;
            return answer;
        }
        catch (FileBrowsingException) when (Lost() is { } lost)
        {
            End();
            throw lost;
        }
        catch (OperationCanceledException)
        {
            End();
            throw Lost() ?? Failed("took too long and was ended");
        }
        catch (Exception e) when (e is IOException or InvalidDataException or ObjectDisposedException)
        {
            End();
            _log.LogWarning("The process that reads file systems failed: {Reason}", e.Message);
            throw Lost() ?? Failed("ended unexpectedly");
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 1) return;
        End();
        await _ended;
        _process.Dispose();
        foreach (var server in _servers) await LetGoAsync(server);
        foreach (var disk in _disks) await LetGoAsync(disk);
        if (_folder is not null) await LetGoAsync(_folder);
    }

    /// <summary>Whatever fails, the rest is let go, too.</summary>
    private async Task LetGoAsync(IAsyncDisposable held)
    {
        try { await held.DisposeAsync(); }
        catch (Exception e) { _log.LogWarning("Something of a reader of file systems was left: {Reason}", e.Message); }
    }

    private static FileBrowsingException Failed(string how) => new(FileBrowsingFault.ReaderFailed, $"The process that reads the file systems of this recovery point {how}. Try again.");

    /// <summary>The error when a disk could not be read: then what the process makes of it is not to be told.</summary>
    private FileBrowsingException? Lost() => _lost is { } reason ? new(FileBrowsingFault.Damaged, $"The recovery point cannot be read from its vault: {reason.Message}") : null;

    private void Start(ReaderHome home, string? appliance)
    {
        _folder = ReaderFolder.Make(home);
        _process.StartInfo = StartInfo(_folder, appliance);
        _process.Start();
        _ended = EndGroupAsync(_process.Id);
        _ = LogErrorsAsync(_process.StandardError.BaseStream);
        _connection = new(_process.StandardInput.BaseStream, _process.StandardOutput.BaseStream);
    }

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        var request = new FrameWriter((byte)ReaderRequest.Open).Put(_options.UsesKvm ? (byte)1 : (byte)0).Put(_options.MemoryMiB).Put(_disks.Count);
        for (var i = 0; i < _disks.Count; i++)
        {
            var path = _folder!.Socket(i);
            _servers.Add(NbdServer.Start(path, _disks[i], new() { OnFailure = failure => _log.LogWarning("A recovery point could not be read: {Reason}", failure.Message) }));
            _folder.HandOver(path);
            request.Put(Encoding.UTF8.GetBytes(path));
        }

        var found = await AskAsync(request, static answer => ReaderAnswers.Volumes(answer), _options.OpenLimit, cancellationToken);
        var named = NamedVolumes.Of(found, _disks.Count);
        _devices = named.ToDictionary(static v => v.Entry.Text, static v => v.Device, StringComparer.Ordinal);
        Volumes = [.. named.Select(static v => v.Entry)];
    }

    /// <summary>What it says on standard error, piece by piece: a line may never end.</summary>
    private async Task LogErrorsAsync(Stream errors)
    {
        var piece = new byte[4096];
        try
        {
            while (await errors.ReadAsync(piece) is var read and > 0) _log.LogDebug("Reader of file systems: {Text}", ReaderAnswers.Plain(Encoding.UTF8.GetString(piece, 0, read), 400));
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // It is gone.
        }
    }

    private ProcessStartInfo StartInfo(ReaderFolder folder, string? appliance)
    {
        var start = new ProcessStartInfo(_options.Executable ?? Environment.ProcessPath ?? throw new InvalidOperationException("This process has no executable."))
        {
            WorkingDirectory = folder.Own,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(ReaderChild.Verb);
        start.ArgumentList.Add(folder.Own);
        if (folder.User is { } user)
        {
            start.ArgumentList.Add(user.ToString(CultureInfo.InvariantCulture));
            if (_options.UsesKvm && KvmGroup() is { } group) start.ArgumentList.Add(group.ToString(CultureInfo.InvariantCulture));
        }

        start.Environment.Clear();
        foreach (var name in s_passed)
        {
            if (Environment.GetEnvironmentVariable(name) is { } value) start.Environment[name] = value;
        }

        start.Environment["PATH"] = ProgramPath;
        start.Environment["HOME"] = start.Environment["TMPDIR"] = start.Environment["XDG_RUNTIME_DIR"] = start.Environment["LIBGUESTFS_TMPDIR"] = folder.Own;
        // The appliance's disk is made once, not for each recovery point; but what a reader could change, no other may start.
        start.Environment["LIBGUESTFS_CACHEDIR"] = folder.User is not null ? folder.Own : Environment.GetEnvironmentVariable("LIBGUESTFS_CACHEDIR") ?? "/var/tmp";
        if (appliance is not null) start.Environment["LIBGUESTFS_PATH"] = appliance;
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment["DOTNET_GCHeapHardLimit"] = "0x10000000";
        return start;
    }

    /// <summary>The group that may use KVM, where there is one.</summary>
    private static uint? KvmGroup() => File.ReadLines("/etc/group").Select(static line => line.Split(':')).FirstOrDefault(static f => f is ["kvm", _, _, ..])?[2] is { } id && uint.TryParse(id, out var group) ? group : null;

    private void End()
    {
        lock (_ending)
        {
            _isEnded = true;
            // Later the number may be another's.
            if (_isReaped || _ended.IsCompleted) return;
            // Its group: the appliance, too. Before it leads one there is nothing but itself.
            _ = SendSignal(-_process.Id, Kill);
            _process.Kill();
        }
    }

    /// <summary>When the process has ended, however that came, the rest of its group ends, too.</summary>
    private async Task EndGroupAsync(int id)
    {
        await _process.WaitForExitAsync();
        lock (_ending)
        {
            _isReaped = true;
            _ = SendSignal(-id, Kill);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);
}
