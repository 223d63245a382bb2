using System.Diagnostics;
using System.Globalization;

namespace Strongroom.Workloads.Tests.FileShares;

/// <summary>Debian's Samba with folders as shares, in a network of its own or at a loopback address that nobody else has; root, and tests are skipped without.</summary>
public sealed class SambaServer : IAsyncDisposable
{
    public const string Password = "Not-a-secret-1";
    private const int StartLimitMilliseconds = 60_000;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("samba-test-");
    private readonly string? _address;
    private Process? _server;

    private SambaServer(string? address) => _address = address;

    /// <summary>Where clients reach it; of a network of its own only from inside.</summary>
    public string Address => _address ?? "127.0.0.1";

    /// <param name="shares">Names and paths.</param>
    public static Task<SambaServer> StartAsync(params (string Name, string Path)[] shares) => StartAsync(null, shares);

    /// <summary>In the machine's own network, at an address of its own and SMB's own port: libsmbclient asks for access rights at no other.</summary>
    public static Task<SambaServer> StartOnLoopbackAsync(params (string Name, string Path)[] shares) =>
        StartAsync($"127.{Random.Shared.Next(100, 250)}.{Random.Shared.Next(1, 250)}.{Random.Shared.Next(1, 250)}", shares);

    private static async Task<SambaServer> StartAsync(string? address, (string Name, string Path)[] shares)
    {
        Programs.RequireRoot("serve files for others");
        Programs.Require("samba, smbclient, util-linux, iproute2", "/usr/sbin/smbd", "/usr/bin/smbpasswd", "/usr/bin/smbclient", "/usr/bin/smbcacls", "/usr/bin/unshare", "/usr/bin/nsenter", "/usr/sbin/ip");
        var samba = new SambaServer(address);
        try
        {
            await samba.StartServerAsync(shares);
            return samba;
        }
        catch
        {
            await samba.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs commands of smbclient in a share.</summary>
    /// <returns>What it printed.</returns>
    public Task<string> ClientAsync(string share, string commands) => InsideAsync("smbclient", $"//{Address}/{share}", "-s", Configuration, "-U", $"root%{Password}", "-c", commands);

    /// <summary>Runs smbcacls: tells the ACL of a file, or changes it.</summary>
    public Task<string> AclAsync(string share, string path, params string[] change) => InsideAsync("smbcacls", [$"//{Address}/{share}", path, "-s", Configuration, "-U", $"root%{Password}", .. change]);

    /// <summary>Ends it and all that serve its clients, as a cut of the power would.</summary>
    public async Task KillAsync()
    {
        if (_server is { HasExited: false })
        {
            _server.Kill(entireProcessTree: true);
            await _server.WaitForExitAsync();
        }

        EndServices();
        _server?.Dispose();
        _server = null;
    }

    /// <summary>Starts it again after <see cref="KillAsync"/>, with the same shares.</summary>
    public async Task StartAgainAsync(string share) => await RunServerAsync(share);

    /// <summary>What smbd has started for rights and names is in no tree of processes with it.</summary>
    private void EndServices()
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            try
            {
                if (int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var id) && File.ReadAllText(Path.Combine(folder, "cmdline")).Contains($"--configfile={Configuration}", StringComparison.Ordinal))
                    Process.GetProcessById(id).Kill();
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or InvalidOperationException)
            {
                // It has ended.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _folder.Delete(true);
    }

    private string Configuration => Path.Combine(_folder.FullName, "smb.conf");

    private async Task StartServerAsync((string Name, string Path)[] shares)
    {
        var own = _folder.FullName;
        var folders = string.Join('\n', new[] { "private dir", "lock directory", "state directory", "cache directory", "pid directory", "ncalrpc dir" }.Select((name, i) => $"  {name} = {Directory.CreateDirectory(Path.Combine(own, $"d{i}"))}"));
        var sections = string.Join('\n', shares.Select(share => $"[{share.Name}]\n  path = {share.Path}\n  read only = no\n  vfs objects = acl_xattr streams_xattr\n  store dos attributes = yes"));
        await File.WriteAllTextAsync(Configuration, $"""
            [global]
              server role = standalone
              netbios name = TESTNAS
              passdb backend = tdbsam:{own}/passdb.tdb
            {folders}
              log file = {own}/log
              interfaces = {(_address is null ? "lo" : _address + "/8")}
              bind interfaces only = yes
              disable netbios = yes
              load printers = no
              disable spoolss = yes
              map archive = no
            {sections}

            """, CancellationToken.None);
        await RunAsync($"{Password}\n{Password}\n", "smbpasswd", "-c", Configuration, "-s", "-a", "root");
        await RunServerAsync(shares[0].Name);
    }

    private async Task RunServerAsync(string share)
    {
        string[] serve = ["/usr/sbin/smbd", "--foreground", "--no-process-group", "--debug-stdout", "-s", Configuration];
        _server = Process.Start(new ProcessStartInfo(_address is null ? "unshare" : serve[0], _address is null ? ["-n", "sh", "-c", "ip link set lo up && exec \"$0\" \"$@\"", .. serve] : serve[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _ = _server.StandardOutput.ReadToEndAsync();
        _ = _server.StandardError.ReadToEndAsync();
        var started = Environment.TickCount64;
        while (true)
        {
            try
            {
                await ClientAsync(share, "ls");
                return;
            }
            catch (InvalidOperationException) when (Environment.TickCount64 - started < StartLimitMilliseconds && !_server.HasExited)
            {
                await Task.Delay(200);
            }
        }
    }

    private Task<string> InsideAsync(string program, params string[] arguments) => _address is not null ? RunAsync("", program, arguments) : RunAsync(
        "", "nsenter", ["-t", _server!.Id.ToString(CultureInfo.InvariantCulture), "-n", program, .. arguments]);

    private static async Task<string> RunAsync(string input, string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {output}{await error}");
    }
}
