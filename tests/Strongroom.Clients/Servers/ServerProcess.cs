using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace Strongroom.Clients.Servers;

/// <summary>
/// A real server in a process of its own: `strongroom serve` on a free port of 127.0.0.1 with its data in a folder of the
/// test. It can be ended politely, killed at any moment, and started again on the same data and port.
/// Not safe for concurrent use, but its log is.
/// </summary>
internal sealed partial class ServerProcess : IAsyncDisposable
{
    private const int SigTerm = 15;
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan StopLimit = TimeSpan.FromMinutes(3);

    private readonly string _executable;
    private readonly string _allowedPath;
    private readonly string[] _options;
    private readonly ServerLog _log = new();
    private readonly Uri _listen;
    private Process? _process;
    private WireProxy? _proxy;

    private ServerProcess(string executable, string dataFolder, string allowedPath, int port, string[] options)
    {
        _executable = executable;
        _options = options;
        DataFolder = dataFolder;
        _allowedPath = allowedPath;
        _listen = new Uri($"https://localhost:{port}");
    }

    public string DataFolder { get; }

    /// <summary>Where clients go: the server, or the wire proxy before it.</summary>
    public Uri Endpoint => _proxy?.Endpoint ?? _listen;

    /// <summary>The certificates (PEM) that a client of <see cref="Endpoint"/> has to trust.</summary>
    public string TrustFile { get; private set; } = "";

    /// <summary>What the first start wrote into admin.json.</summary>
    public AdminFile Admin { get; private set; } = null!;

    /// <summary>The last lines the server wrote, for a failure's message.</summary>
    public string LogTail => _log.Tail();

    /// <summary>How many of the lines that are kept say this.</summary>
    public int LinesWith(string text) => _log.Count(text);

    /// <summary>Starts a server and waits until it says that it is ready.</summary>
    /// <param name="dataFolder">Made by the server if missing.</param>
    /// <param name="allowedPath">The root below which hosts may lie (--allow-path).</param>
    public static Task<ServerProcess> StartAsync(string dataFolder, string allowedPath, CancellationToken cancellationToken) =>
        StartAsync(dataFolder, allowedPath, [], cancellationToken);

    /// <summary>As <see cref="StartAsync(string, string, CancellationToken)"/>, with further options of `serve`.</summary>
    /// <param name="executable">The command `strongroom`; null for <see cref="Repository.ServerExecutable"/>.</param>
    public static async Task<ServerProcess> StartAsync(string dataFolder, string allowedPath, string[] options, CancellationToken cancellationToken, string? executable = null)
    {
        var server = new ServerProcess(executable ?? Repository.ServerExecutable, dataFolder, allowedPath, FreePorts.Take(), options);
        await server.StartAsync(cancellationToken);
        server.TrustFile = server.Admin.CaFile;
        if (WireProxy.IsWanted)
            await server.PutProxyBeforeAsync(cancellationToken);
        return server;
    }

    /// <summary>Starts the server again on the same data and port.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        Assert.True(File.Exists(_executable), $"{_executable} is not built: dotnet build -c Release");
        var start = new ProcessStartInfo(_executable,
            ["serve", "--data", DataFolder, "--listen", _listen.GetLeftPart(UriPartial.Authority), "--allow-path", _allowedPath, .. _options])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        process.OutputDataReceived += (_, line) => Hear(line.Data, ready);
        process.ErrorDataReceived += (_, line) => Hear(line.Data, ready);
        process.Exited += (_, _) => ready.TrySetException(new InvalidOperationException("The server ended before it was ready."));
        _log.Add($"--- start: {_executable} {string.Join(' ', start.ArgumentList)}");
        process.Start();
        _process = process;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await ready.Task.WaitAsync(StartLimit, cancellationToken);
        }
        catch (Exception problem) when (problem is TimeoutException or InvalidOperationException)
        {
            Kill();
            throw new InvalidOperationException($"{problem.Message}\n{LogTail}", problem);
        }
        Admin = AdminFile.Read(Path.Combine(DataFolder, "admin.json"));
    }

    /// <summary>SIGKILL: the process has no say in it. Returns when it is gone.</summary>
    public void Kill() => Kill(entireProcessTree: true);

    /// <summary>SIGKILL for the server and for nothing that it has started.</summary>
    public void KillAlone() => Kill(entireProcessTree: false);

    private void Kill(bool entireProcessTree)
    {
        if (_process is null)
            return;
        if (!_process.HasExited)
            _process.Kill(entireProcessTree);
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
        _log.Add("--- killed");
    }

    /// <summary>SIGTERM, and the exit status of the process.</summary>
    public async Task<int> StopAsync(CancellationToken cancellationToken)
    {
        var process = _process ?? throw new InvalidOperationException("The server is not running.");
        Terminate(process);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(StopLimit);
        await process.WaitForExitAsync(limit.Token);
        var status = process.ExitCode;
        process.Dispose();
        _process = null;
        return status;
    }

    /// <summary>The process's id while it runs.</summary>
    public int ProcessId => _process!.Id;

    /// <summary>Whether the process runs.</summary>
    public bool IsRunning => _process is { HasExited: false };

    /// <summary>Asks a process to end (SIGTERM).</summary>
    public static void Terminate(Process process) => _ = SendSignal(process.Id, SigTerm);

    public async ValueTask DisposeAsync()
    {
        if (_proxy is not null)
            await _proxy.DisposeAsync();
        Kill();
    }

    private async Task PutProxyBeforeAsync(CancellationToken cancellationToken)
    {
        _proxy = await WireProxy.StartAsync(_listen, FreePorts.Take(), DataFolder, cancellationToken);
        TrustFile = Path.Combine(DataFolder, "wire-proxy-trust.pem");
        await File.WriteAllTextAsync(TrustFile,
            await File.ReadAllTextAsync(Admin.CaFile, cancellationToken) + "\n" + await File.ReadAllTextAsync(_proxy.CertificateFile, cancellationToken), cancellationToken);
    }

    private void Hear(string? line, TaskCompletionSource ready)
    {
        if (line is null)
            return;
        _log.Add(line);
        if (line.Contains("Strongroom is ready on", StringComparison.Ordinal))
            ready.TrySetResult();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int processId, int signal);
}

/// <summary>The administrator that the first start makes.</summary>
internal sealed record AdminFile(Uri Endpoint, string TenantId, string SubscriptionId, string ClientId, string ClientSecret, string CaFile)
{
    public static AdminFile Read(string path)
    {
        var json = JsonNode.Parse(File.ReadAllText(path))!;
        string Text(string name) => json[name]?.GetValue<string>() ?? throw new InvalidDataException($"{path} has no {name}.");
        return new AdminFile(new Uri(Text("endpoint")), Text("tenantId"), Text("subscriptionId"), Text("clientId"), Text("clientSecret"), Text("caFile"));
    }
}
