using System.Buffers.Binary;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging;
using Strongroom.Backup.FileShares;
using Strongroom.Workloads.FileShares.Smb.Child;
using Strongroom.Workloads.VirtualMachines.Files;

namespace Strongroom.Workloads.FileShares.Smb;

/// <summary>How the processes that speak SMB are started.</summary>
public sealed record SmbProcessOptions
{
    /// <summary>The executable whose first argument is <see cref="SmbChild.Verb"/>; null: this process's own.</summary>
    public string? Executable { get; init; }

    /// <summary>How long one request may take. libsmbclient gives up a server that does not answer after 30 s, and may ask it three times for one request.</summary>
    public TimeSpan RequestLimit { get; init; } = TimeSpan.FromMinutes(3);
}

/// <summary>A process that holds one share open, or looks at a server's shares. Thread-safe: calls take turns.</summary>
/// <remarks>It ends when its input does, so when the server is gone, however that came. The login goes to it by its input.</remarks>
internal sealed class SmbProcess : IAsyncDisposable
{
    private const int NoEntry = 2, NotPermitted = 1, NoAccess = 13, ConnectionRefused = 111, NoRoute = 113;

    private readonly SmbProcessOptions _options;
    private readonly SmbFileServer _server;
    private readonly ILogger _log;
    private readonly Process _process = new();
    private readonly SemaphoreSlim _turn = new(1);
    private string? _lost;

    private SmbProcess(SmbProcessOptions options, SmbFileServer server, ILogger log) => (_options, _server, _log) = (options, server, log);

    /// <summary>False: the file server does not tell of access rights.</summary>
    public bool HasSecurity { get; private set; }

    /// <summary>Opens a share, or the list of a server's shares.</summary>
    /// <param name="share">What it is called on its server; null: the list.</param>
    /// <exception cref="ShareException">NotFound, ServerFailed.</exception>
    public static async Task<SmbProcess> StartAsync(SmbProcessOptions options, SmbFileServer server, SmbLogin login, string? share, ILogger log, CancellationToken cancellationToken)
    {
        var process = new SmbProcess(options, server, log);
        try
        {
            process.Start();
            var at = login.UserName.IndexOf('\\', StringComparison.Ordinal);
            var request = new FrameWriter((byte)SmbRequest.Open).Put(Encoding.ASCII.GetBytes(server.Host)).Put(Encoding.UTF8.GetBytes(share ?? ""))
                .Put(Encoding.UTF8.GetBytes(at < 0 ? "" : login.UserName[..at])).Put(Encoding.UTF8.GetBytes(login.UserName[(at + 1)..])).Put(Encoding.UTF8.GetBytes(login.Password));
            process.HasSecurity = await process.AskAsync(request, static answer => answer[0] == 1, share ?? "", cancellationToken);
            return process;
        }
        catch (Win32Exception failure)
        {
            await process.DisposeAsync();
            log.LogWarning("The process that speaks SMB did not start: {Reason}", failure.Message);
            throw new ShareException(ShareProblem.ServerFailed, "The process that speaks SMB could not be started; the server's log says why.", failure);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Asks, and reads the answer.</summary>
    /// <exception cref="SmbException">The server refuses this, and still answers.</exception>
    /// <exception cref="ShareException">ServerFailed: the share does not answer any more.</exception>
    public Task<T> AskAsync<T>(FrameWriter request, Func<byte[], T> read, CancellationToken cancellationToken) => AskAsync(request, read, null, cancellationToken);

    /// <summary>The shares for files that the server lists.</summary>
    /// <exception cref="ShareException">ServerFailed.</exception>
    public Task<List<string>> ListSharesAsync(CancellationToken cancellationToken) => AskAsync(
        new((byte)SmbRequest.ListShares),
        static answer =>
        {
            var fields = new FrameFields(answer);
            var names = new List<string>();
            for (var count = fields.Count(answer.Length); count > 0; count--) names.Add(Encoding.UTF8.GetString(fields.Bytes(SmbFrames.MaxNameBytes)));
            return names;
        },
        cancellationToken);

    public async ValueTask DisposeAsync()
    {
        Kill();
        try { await _process.WaitForExitAsync(); }
        catch (InvalidOperationException) { /* It was never started. */ }
        _process.Dispose();
        _turn.Dispose();
    }

    private void Start()
    {
        var start = new ProcessStartInfo(_options.Executable ?? Environment.ProcessPath ?? throw new InvalidOperationException("This process has no executable."), [SmbChild.Verb])
        {
            WorkingDirectory = "/",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        if (Environment.GetEnvironmentVariable("DOTNET_ROOT") is { } root) start.Environment["DOTNET_ROOT"] = root;
        // The settings of the machine count, and nobody's own.
        start.Environment["HOME"] = "/nonexistent";
        start.Environment["PATH"] = ReaderProcess.ProgramPath;
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment["DOTNET_GCHeapHardLimit"] = "0x10000000";
        _process.StartInfo = start;
        _process.Start();
        _ = LogErrorsAsync(_process.StandardError.BaseStream);
    }

    private async Task<T> AskAsync<T>(FrameWriter request, Func<byte[], T> read, string? opened, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_lost is { } lost) throw Lost(lost);
            // Real time, never a tester's. An answer that nobody reads would be the next one's: who stops waiting ends the process.
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(_options.RequestLimit);
            var (kind, fields) = await ExchangeAsync(request, limit.Token);
            return kind switch
            {
                SmbAnswer.Done => read(fields),
                SmbAnswer.Failed => throw new SmbException(new FrameFields(fields).Int()),
                SmbAnswer.Lost when opened is not null => throw Refused(opened, new FrameFields(fields).Int()),
                SmbAnswer.Lost => throw End($"the file server does not answer any more ({SmbException.TextOf(new FrameFields(fields).Int())})"),
                SmbAnswer.NoLibrary => throw End("libsmbclient is not installed on Strongroom's server (Debian's package libsmbclient)"),
                _ => throw End("the process that speaks SMB answered nonsense"),
            };
        }
        catch (OperationCanceledException)
        {
            var late = End("the file server takes too long to answer");
            cancellationToken.ThrowIfCancellationRequested();
            throw late;
        }
        catch (Exception failure) when (failure is EndOfStreamException or InvalidDataException or ObjectDisposedException || (failure is IOException and not SmbException))
        {
            _log.LogWarning("The process that speaks SMB failed: {Reason}", failure.Message);
            throw End("the process that speaks SMB ended unexpectedly");
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<(SmbAnswer Kind, byte[] Fields)> ExchangeAsync(FrameWriter request, CancellationToken cancellationToken)
    {
        await _process.StandardInput.BaseStream.WriteAsync(request.End(), cancellationToken);
        await _process.StandardInput.BaseStream.FlushAsync(cancellationToken);
        var answers = _process.StandardOutput.BaseStream;
        var head = new byte[5];
        await answers.ReadExactlyAsync(head, cancellationToken);
        var length = BinaryPrimitives.ReadInt32LittleEndian(head) - 1;
        if (length is < 0 or > SmbFrames.MaxBytes) throw new InvalidDataException($"A frame of {length} bytes.");
        var fields = new byte[length];
        await answers.ReadExactlyAsync(fields, cancellationToken);
        return ((SmbAnswer)head[4], fields);
    }

    /// <summary>Why a share could not be opened, from the error.</summary>
    private ShareException Refused(string share, int error)
    {
        Kill();
        return error switch
        {
            NoEntry when share.Length > 0 => new(ShareProblem.NotFound, $"Share '{share}' is not on file server '{_server.Name}' any more."),
            NotPermitted or NoAccess => new(ShareProblem.ServerFailed, $"File server '{_server.Name}' does not let Strongroom in: it refuses the credentials '{_server.Credentials}'{(share.Length > 0 ? $", or they have no access to share '{share}'" : "")}."),
            NoEntry or ConnectionRefused or NoRoute => new(ShareProblem.ServerFailed, $"File server '{_server.Name}' cannot be reached at {_server.Host}: {SmbException.TextOf(error)}."),
            _ => new(ShareProblem.ServerFailed, $"File server '{_server.Name}' cannot be used at {_server.Host}: {SmbException.TextOf(error)}."),
        };
    }

    private ShareException End(string why)
    {
        _lost = why;
        Kill();
        return Lost(why);
    }

    private ShareException Lost(string why) => new(ShareProblem.ServerFailed, $"File server '{_server.Name}' cannot be used: {why}.");

    private void Kill()
    {
        try { _process.Kill(); }
        catch (InvalidOperationException) { /* It has ended, or was never started. */ }
    }

    private async Task LogErrorsAsync(Stream errors)
    {
        var piece = new byte[4096];
        try
        {
            while (await errors.ReadAsync(piece) is var read and > 0) _log.LogDebug("libsmbclient: {Text}", ReaderAnswers.Plain(Encoding.UTF8.GetString(piece, 0, read), 400));
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException)
        {
            // It is gone.
        }
    }
}

/// <summary>What a file server refused: it concerns one file or folder. The HResult is the error's number.</summary>
internal sealed class SmbException(int error) : IOException(TextOf(error), error)
{
    public const int NoEntry = 2, Exists = 17, NotAFolder = 20, IsAFolder = 21, NoRoom = 28;

    /// <summary>An error in words.</summary>
    public static string TextOf(int error) => Marshal.GetPInvokeErrorMessage(error);
}
