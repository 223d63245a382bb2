using Microsoft.Extensions.Logging;
using Strongroom.Backup.FileRecovery.Browsing;
using Strongroom.Blocks;

namespace Strongroom.Workloads.VirtualMachines.Files;

/// <summary>The recovery points that are open for reading files: a process for each, kept for a while when nobody uses it, because it takes seconds to start.</summary>
/// <remarks>Thread-safe.</remarks>
public sealed class FileReaders : IFileReader, IAsyncDisposable
{
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(10);

    private readonly FileReaderOptions _options;
    private readonly ILogger<FileReaders> _log;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Session> _sessions = [];
    private readonly Timer _timer;
    private readonly SemaphoreSlim _preparing = new(1);
    private ReaderHome? _home;
    private string? _appliance;
    private bool _isPrepared;
    private TaskCompletionSource _change = New();
    private bool _isDisposed;

    public FileReaders(FileReaderOptions options, ILogger<FileReaders> log)
    {
        (_options, _log) = (options, log);
        _timer = new(_ => CloseIdle(), null, s_look, s_look);
    }

    public async Task<IFileTree> OpenAsync(string key, Func<CancellationToken, Task<IReadOnlyList<IBlockDevice>>> openDisks, CancellationToken cancellationToken)
    {
        var session = await TakeAsync(key, openDisks, cancellationToken);
        try
        {
            var process = await session.Opening.Value.WaitAsync(cancellationToken);
            return new ReaderTree(process, () => Release(key, session));
        }
        catch
        {
            Release(key, session);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Session[] all;
        lock (_lock)
        {
            _isDisposed = true;
            all = [.. _sessions.Values];
            _sessions.Clear();
        }

        await _timer.DisposeAsync();
        foreach (var session in all) await session.CloseAsync(_log);
        if (_home is not null) await _home.DisposeAsync();
        _preparing.Dispose();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task<ReaderProcess> StartAsync(Func<CancellationToken, Task<IReadOnlyList<IBlockDevice>>> openDisks)
    {
        var (home, appliance) = await PrepareAsync();
        return await ReaderProcess.StartAsync(home, appliance, _options, await openDisks(CancellationToken.None), _log, CancellationToken.None);
    }

    /// <summary>Once, and again where it failed.</summary>
    private async Task<(ReaderHome Home, string? Appliance)> PrepareAsync()
    {
        await _preparing.WaitAsync();
        try
        {
            _home ??= await ReaderHome.OpenAsync(_options);
            // An operator's own appliance is the operator's.
            if (!_isPrepared && _options.MachineFolder is not null && _home.Machine is { } machine && Environment.GetEnvironmentVariable("LIBGUESTFS_PATH") is null)
                _appliance = await ReaderAppliance.MakeAsync(machine, _options.OpenLimit);
            _isPrepared = true;
            return (_home, _appliance);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FileBrowsingException(FileBrowsingFault.ReaderFailed, "There is no place for the process that reads file systems: " + e.Message);
        }
        finally
        {
            _preparing.Release();
        }
    }

    private async Task<Session> TakeAsync(string key, Func<CancellationToken, Task<IReadOnlyList<IBlockDevice>>> openDisks, CancellationToken cancellationToken)
    {
        var deadline = Environment.TickCount64 + (long)_options.BusyTime.TotalMilliseconds;
        while (true)
        {
            Task change;
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_isDisposed, this);
                if (TryTake(key, openDisks) is { } session) return session;
                change = _change.Task;
            }

            var left = deadline - Environment.TickCount64;
            if (left <= 0)
                throw new FileBrowsingException(FileBrowsingFault.Busy, $"Files of {_options.MaxOpen} other recovery points are being read, which is as many as this server allows. Try again later.");
            await Task.WhenAny(change, Task.Delay(TimeSpan.FromMilliseconds(left), cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private Session? TryTake(string key, Func<CancellationToken, Task<IReadOnlyList<IBlockDevice>>> openDisks)
    {
        if (_sessions.TryGetValue(key, out var session) && session.IsDead)
        {
            _sessions.Remove(key);
            _ = session.CloseAsync(_log);
            session = null;
        }

        if (session is null)
        {
            if (_sessions.Count >= _options.MaxOpen && !TryCloseOldest()) return null;
            // Opened under no caller's token: others may wait for the same opening.
            session = new(() => StartAsync(openDisks));
            _sessions[key] = session;
        }

        session.Users++;
        return session;
    }

    private bool TryCloseOldest()
    {
        var (key, oldest) = _sessions.Where(static s => s.Value.Users == 0).OrderBy(static s => s.Value.IdleSince).FirstOrDefault();
        if (oldest is null) return false;
        _sessions.Remove(key);
        _ = oldest.CloseAsync(_log);
        return true;
    }

    private void Release(string key, Session session)
    {
        lock (_lock)
        {
            session.Users--;
            session.IdleSince = Environment.TickCount64;
            if (session.Users == 0 && session.IsDead && _sessions.GetValueOrDefault(key) == session)
            {
                _sessions.Remove(key);
                _ = session.CloseAsync(_log);
            }

            _change.TrySetResult();
            _change = New();
        }
    }

    private void CloseIdle()
    {
        lock (_lock)
        {
            var oldest = Environment.TickCount64 - (long)_options.IdleTime.TotalMilliseconds;
            foreach (var (key, session) in _sessions.Where(s => s.Value.Users == 0 && s.Value.IdleSince <= oldest).ToArray())
            {
                _sessions.Remove(key);
                _ = session.CloseAsync(_log);
            }
        }
    }

    private sealed class Session(Func<Task<ReaderProcess>> open)
    {
        public Lazy<Task<ReaderProcess>> Opening { get; } = new(() => Task.Run(open));

        public int Users { get; set; }

        /// <summary>By the machine's own clock, in milliseconds.</summary>
        public long IdleSince { get; set; }

        /// <summary>Whether it failed to open, or its process has ended.</summary>
        public bool IsDead => Opening.IsValueCreated && (Opening.Value.IsFaulted || Opening.Value is { IsCompletedSuccessfully: true } opened && opened.GetAwaiter().GetResult().IsDead);

        public async Task CloseAsync(ILogger log)
        {
            if (!Opening.IsValueCreated) return;
            try { await (await Opening.Value).DisposeAsync(); }
            catch (Exception e) { log.LogDebug(e, "A reader of file systems had not opened"); }
        }
    }
}
