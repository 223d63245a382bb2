using System.Diagnostics;
using System.Globalization;

namespace Strongroom.Workloads.Tests.FileShares;

/// <summary>Debian's Samba in a network of its own, with folders as shares; root, and tests are skipped without.</summary>
public sealed class SambaServer : IAsyncDisposable
{
    private const string Password = "Not-a-secret-1";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("samba-test-");
    private Process? _server;

    private SambaServer()
    {
    }

    /// <param name="shares">Names and paths.</param>
    public static async Task<SambaServer> StartAsync(params (string Name, string Path)[] shares)
    {
        Programs.RequireRoot("serve files for others");
        Programs.Require("samba, smbclient, util-linux, iproute2", "/usr/sbin/smbd", "/usr/bin/smbpasswd", "/usr/bin/smbclient", "/usr/bin/smbcacls", "/usr/bin/unshare", "/usr/bin/nsenter", "/usr/sbin/ip");
        var samba = new SambaServer();
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
    public Task<string> ClientAsync(string share, string commands) => InsideAsync("smbclient", $"//127.0.0.1/{share}", "-s", Configuration, "-U", $"root%{Password}", "-c", commands);

    /// <summary>Runs smbcacls: tells the ACL of a file, or changes it.</summary>
    public Task<string> AclAsync(string share, string path, params string[] change) => InsideAsync("smbcacls", [$"//127.0.0.1/{share}", path, "-s", Configuration, "-U", $"root%{Password}", .. change]);

    public async ValueTask DisposeAsync()
    {
        if (_server is { HasExited: false })
        {
            _server.Kill(entireProcessTree: true);
            await _server.WaitForExitAsync();
        }

        _server?.Dispose();
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
              interfaces = lo
              bind interfaces only = yes
              disable netbios = yes
              load printers = no
              disable spoolss = yes
              map archive = no
            {sections}

            """, CancellationToken.None);
        await RunAsync($"{Password}\n{Password}\n", "smbpasswd", "-c", Configuration, "-s", "-a", "root");
        _server = Process.Start(new ProcessStartInfo("unshare", ["-n", "sh", "-c", "ip link set lo up && exec /usr/sbin/smbd --foreground --no-process-group --debug-stdout -s \"$0\"", Configuration])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _ = _server.StandardOutput.ReadToEndAsync();
        _ = _server.StandardError.ReadToEndAsync();
        for (var tries = 0; ; tries++)
        {
            try
            {
                await ClientAsync(shares[0].Name, "ls");
                return;
            }
            catch (InvalidOperationException) when (tries < 50 && !_server.HasExited)
            {
                await Task.Delay(200);
            }
        }
    }

    private Task<string> InsideAsync(string program, params string[] arguments) =>
        RunAsync("", "nsenter", ["-t", _server!.Id.ToString(CultureInfo.InvariantCulture), "-n", program, .. arguments]);

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
