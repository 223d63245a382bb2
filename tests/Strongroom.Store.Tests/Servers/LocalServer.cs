using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Strongroom.Store.Tests.Servers;

/// <summary>Programs that a test starts on free ports of 127.0.0.1 with a folder of their own; all are ended with it.</summary>
internal sealed class LocalServer : IAsyncDisposable
{
    private readonly List<Process> processes = [];

    public string Folder { get; } = Directory.CreateTempSubdirectory("strongroom-server-").FullName;

    /// <summary>The repository, from the folder of the test program up.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The full path of a program, or null.</summary>
    public static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .Where(folder => folder.Length > 0)
        .Select(folder => Path.Combine(folder, program))
        .FirstOrDefault(File.Exists);

    /// <summary>Ends the test since something is missing: a failure where continuous integration requires it, else a skip.</summary>
    public static void Missing(string reason)
    {
        if (Environment.GetEnvironmentVariable("STRONGROOM_REQUIRE_PEERS") == "1")
            Assert.Fail(reason);
        Assert.Skip(reason);
    }

    /// <summary>Starts a program that stays; what it says goes to a file in the folder.</summary>
    public void Start(string program, params string[] arguments) => processes.Add(Begin(program, arguments));

    /// <summary>Runs a program to its end.</summary>
    public async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Begin(program, arguments);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} took longer than a minute.\n{Said()}");
        }

        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} ended with status {process.ExitCode}.\n{Said()}");
    }

    /// <summary>Waits until something answers on a port.</summary>
    public async Task WaitForAsync(int port)
    {
        var limit = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException) when (limit.Elapsed < TimeSpan.FromSeconds(60) && processes.TrueForAll(process => !process.HasExited))
            {
                await Task.Delay(50);
            }
            catch (SocketException)
            {
                throw new InvalidOperationException($"The server does not come up.\n{Said()}");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in Enumerable.Reverse(processes))
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }

        Directory.Delete(Folder, recursive: true);
    }

    private Process Begin(string program, string[] arguments)
    {
        // Through a shell for the redirection alone: exec leaves no other process behind.
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec \"$@\" >>\"$0\" 2>&1 </dev/null", Path.Combine(Folder, "said"), program, .. arguments])
        {
            WorkingDirectory = Folder,
        };
        return Process.Start(start)!;
    }

    private string Said()
    {
        var path = Path.Combine(Folder, "said");
        return File.Exists(path) ? string.Join('\n', File.ReadLines(path).TakeLast(40)) : "";
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Strongroom.slnx")))
                return folder.FullName;
        }

        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds Strongroom.slnx.");
    }
}
