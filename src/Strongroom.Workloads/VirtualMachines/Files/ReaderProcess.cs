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
/// It gets the disks over NBD on Unix sockets in a folder of its own, and nothing else of the server: no environment, no privileges, no
/// network. It is believed in nothing. When a call takes too long, or its answer cannot be, it is killed, and with it all that it has started.
/// </remarks>
internal sealed partial class ReaderProcess : IAsyncDisposable
{
    private const int Kill = 9;

    // What libguestfs and supermin of the operator's machine may need to be told.
    private static readonly string[] s_passed = ["DOTNET_ROOT", "SUPERMIN_KERNEL", "SUPERMIN_KERNEL_VERSION", "SUPERMIN_MODULES", "LIBGUESTFS_PATH", "LIBGUESTFS_HV"];

    private readonly FileReaderOptions _options;
    private readonly ILogger _log;
    private readonly IReadOnlyList<IBlockDevice> _disks;
    private readonly List<NbdServer> _servers = [];
    private readonly ReaderFolder _folder = new();
    private readonly SemaphoreSlim _turn = new(1);
    private readonly Process _process;
    private readonly ReaderConnection _connection;
    private IReadOnlyDictionary<string, string> _devices = new Dictionary<string, string>();
    private volatile bool _isEnded;
    private int _isDisposed;

    private ReaderProcess(FileReaderOptions options, IReadOnlyList<IBlockDevice> disks, ILogger log)
    {
        (_options, _disks, _log) = (options, disks, log);
        _process = new Process { StartInfo = StartInfo() };
        try
        {
            _process.Start();
        }
        catch
        {
            _folder.Dispose();
            throw;
        }

        _ = LogErrorsAsync(_process.StandardError.BaseStream);
        _connection = new(_process.StandardInput.BaseStream, _process.StandardOutput.BaseStream);
    }

    /// <summary>The volumes, in order.</summary>
    public IReadOnlyList<FileEntry> Volumes { get; private set; } = [];

    /// <summary>True when it ended, or was ended: nothing can be asked any more.</summary>
    public bool IsDead => _isEnded || _process.HasExited;

    /// <summary>Starts a process and lets it find the volumes. The disks are its own from here on.</summary>
    /// <exception cref="FileBrowsingException">NotInstalled, Damaged or ReaderFailed.</exception>
    public static async Task<ReaderProcess> StartAsync(FileReaderOptions options, IReadOnlyList<IBlockDevice> disks, ILogger log, CancellationToken cancellationToken)
    {
        ReaderProcess process;
        try
        {
            process = new(options, disks, log);
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or IOException)
        {
            foreach (var disk in disks.OfType<IAsyncDisposable>()) await disk.DisposeAsync();
            log.LogWarning("The process that reads file systems cannot be started: {Reason}", e.Message);
            throw Failed("could not be started");
        }

        try
        {
            await process.OpenAsync(cancellationToken);
            return process;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
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
            if (IsDead) throw Failed("has ended");

            // An answer that nobody reads to its end would be the next one's. The time is the machine's own, never a tester's.
            using var clock = new CancellationTokenSource(limit ?? _options.RequestLimit);
            return read(await _connection.AskAsync(request, clock.Token));
        }
        catch (OperationCanceledException)
        {
            End();
            throw Failed("took too long and was ended");
        }
        catch (Exception e) when (e is IOException or InvalidDataException or ObjectDisposedException)
        {
            End();
            _log.LogWarning("The process that reads file systems failed: {Reason}", e.Message);
            throw Failed("ended unexpectedly");
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
        await _process.WaitForExitAsync();
        _process.Dispose();
        foreach (var server in _servers) await server.DisposeAsync();
        foreach (var disk in _disks.OfType<IAsyncDisposable>()) await disk.DisposeAsync();
        _folder.Dispose();
    }

    private static FileBrowsingException Failed(string how) => new(FileBrowsingFault.ReaderFailed, $"The process that reads the file systems of this recovery point {how}. Try again.");

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        var request = new FrameWriter((byte)ReaderRequest.Open).Put(_options.UsesKvm ? (byte)1 : (byte)0).Put(_options.MemoryMiB).Put(_disks.Count);
        for (var i = 0; i < _disks.Count; i++)
        {
            var path = Path.Combine(_folder.Path, string.Create(CultureInfo.InvariantCulture, $"disk{i}.sock"));
            _servers.Add(NbdServer.Start(path, _disks[i], new() { OnFailure = failure => _log.LogWarning("A recovery point could not be read: {Reason}", failure.Message) }));
            ReaderFolder.HandOver(path);
            request.Put(Encoding.UTF8.GetBytes(path));
        }

        var found = await AskAsync(request, static answer => ReaderAnswers.Volumes(answer), _options.OpenLimit, cancellationToken);
        var named = VolumeNames.Of(found, _disks.Count);
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

    private ProcessStartInfo StartInfo()
    {
        var start = new ProcessStartInfo(_options.Executable ?? Environment.ProcessPath ?? throw new InvalidOperationException("This process has no executable."))
        {
            WorkingDirectory = _folder.Path,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(ReaderChild.Verb);
        start.ArgumentList.Add(_folder.Path);
        if (ReaderFolder.User is { } user)
        {
            start.ArgumentList.Add(user.ToString(CultureInfo.InvariantCulture));
            if (_options.UsesKvm && ReaderFolder.KvmGroup is { } group) start.ArgumentList.Add(group.ToString(CultureInfo.InvariantCulture));
        }

        start.Environment.Clear();
        foreach (var name in s_passed)
        {
            if (Environment.GetEnvironmentVariable(name) is { } value) start.Environment[name] = value;
        }

        start.Environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        start.Environment["HOME"] = start.Environment["TMPDIR"] = start.Environment["XDG_RUNTIME_DIR"] = start.Environment["LIBGUESTFS_TMPDIR"] = _folder.Path;
        // Its disk is made once, not for each recovery point: it is no temporary file.
        start.Environment["LIBGUESTFS_CACHEDIR"] = Environment.GetEnvironmentVariable("LIBGUESTFS_CACHEDIR") ?? "/var/tmp";
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment["DOTNET_GCHeapHardLimit"] = "0x10000000";
        return start;
    }

    private void End()
    {
        _isEnded = true;
        // Its group: the appliance, too. Before it leads one there is nothing but itself.
        _ = SendSignal(-_process.Id, Kill);
        _process.Kill();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);
}
