using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Strongroom.Backup.FileRecovery;
using Strongroom.Backup.Tests.Support;
using Strongroom.Blocks.Tests;
using Strongroom.Demo.Tests;

namespace Strongroom.Backup.Tests.FileRecovery;

/// <summary>The recovery script for Linux, by a Python: its values, its parts, its tunnel. What it does to a machine is told in Strongroom.Clients.</summary>
public sealed class ScriptTests : IAsyncLifetime
{
    private const string Host = "backup.example";

    /// <summary>Loads the script whose path is the first argument as a module.</summary>
    private const string Load =
        "import importlib.util, json, socket, sys; sys.dont_write_bytecode = True\n"
        + "spec = importlib.util.spec_from_file_location('script', sys.argv[1]); script = importlib.util.module_from_spec(spec); sys.modules['script'] = script; spec.loader.exec_module(script)\n";

    private readonly TestAuthority _authority = new("the right one");

    private Rig _rig = null!;
    private FileRecoveryMount _mount = null!;

    private string Python { get; } = "/usr/bin/python3";

    public async ValueTask InitializeAsync()
    {
        Programs.RequirePeer("python3");
        _rig = await Rig.NewAsync();
        var vault = await _rig.NewVaultAsync();
        var machine = _rig.NewMachine("we\"b'1 {x} $y é", FakeDisk.New(-1, "o\"s\\ é", 1));
        await _rig.ProtectAsync(vault, machine);
        await _rig.BackUpAsync(vault, machine);
        var point = (await _rig.PointsAsync(vault, machine))[0];
        var operation = await _rig.Mounts.ProvisionAsync(vault, Rig.NativeName(machine), point.Name, new(null, false, new("https://other.example:1")), Rig.Token);
        _mount = _rig.Mounts.FindByOperation(operation.Id)!;
    }

    public async ValueTask DisposeAsync()
    {
        _authority.Dispose();
        await _rig.DisposeAsync();
    }

    [Fact]
    public async Task The_values_of_a_mount_arrive_as_they_are_and_without_the_password_once_a_client_took_it_out()
    {
        var text = WriteScript(new() { OverlayFolder = "/nowhere", Portal = new(Host, 8443), AuthorityPem = "-----BEGIN\nline\n-----END" });
        var path = Path.Combine(_rig.Folder, "script.py");
        await File.WriteAllTextAsync(path, text, Rig.Token);
        Assert.Equal(_mount.Secrets.Password, (string?)(await ReadAsync())["TargetPassword"]);

        // az: this very text, and nothing else.
        await File.WriteAllTextAsync(path, text.Replace($"TargetPassword=\"{_mount.Secrets.Password}\"", "TargetPassword=\"UserInput012345\"", StringComparison.Ordinal), Rig.Token);
        var values = await ReadAsync();
        Assert.Equal("UserInput012345", (string?)values["TargetPassword"]);
        Assert.DoesNotContain(_mount.Secrets.Password, await File.ReadAllTextAsync(path, Rig.Token), StringComparison.Ordinal);
        Assert.Equal("we\"b'1 {x} $y é", (string?)values["VmName"]);
        Assert.Equal("o\"s\\ é", (string?)JsonNode.Parse((string)values["Disks"]!)![0]!["name"]);
        Assert.Equal("-----BEGIN\nline\n-----END", (string?)values["TargetPortalCertificates"]);
        Assert.Equal((Host, "8443", $"/file-recovery/{_mount.Id}/tunnel"), ((string?)values["TargetPortalName"], (string?)values["TargetPortalPortNumber"], (string?)values["TargetPortalPath"]));

        async Task<JsonNode> ReadAsync() =>
            JsonNode.Parse(await Programs.RunAsync(Python, "-c", Load + "print(json.dumps({name: value for name, value in vars(script).items() if name[0].isupper() and isinstance(value, str)}))", path))!;
    }

    [Fact]
    public async Task A_script_without_values_says_that_it_is_a_template()
    {
        var (exitCode, output) = await Programs.TryRunAsync(Python, await TemplateAsync());
        Assert.Equal(1, exitCode);
        Assert.Contains("template", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_parts_pass_their_own_tests()
    {
        using var process = Process.Start(new ProcessStartInfo(Python, [Path.Combine(AppContext.BaseDirectory, "FileRecovery", "recover_files_test.py")])
        {
            RedirectStandardError = true,
            Environment = { ["RECOVER_FILES"] = await TemplateAsync() },
        })!;
        var said = await process.StandardError.ReadToEndAsync(Rig.Token);
        await process.WaitForExitAsync(Rig.Token);
        Assert.True(process.ExitCode == 0, said);
        Assert.Contains("\nOK", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_tunnel_carries_bytes_both_ways_unchanged_and_asks_for_the_path_of_the_mount()
    {
        using var server = new TunnelServer(_authority, Host, "101 Switching Protocols");
        using var tunnel = await StartAsync(server);
        using var client = await tunnel.ConnectAsync();
        var sent = RandomNumberGenerator.GetBytes(8 << 20);
        var sending = client.GetStream().WriteAsync(sent, Rig.Token);
        var received = new byte[sent.Length];
        await client.GetStream().ReadExactlyAsync(received, Rig.Token);
        await sending;
        Assert.Equal(sent, received);
        Assert.Equal($"GET /file-recovery/{_mount.Id}/tunnel HTTP/1.1|Host: {Host}:{server.Port}|Connection: Upgrade|Upgrade: iscsi||", server.Request.Replace("\r\n", "|", StringComparison.Ordinal));

        // What one end closes the other sees closed, with more connections going on beside it.
        using var other = await tunnel.ConnectAsync();
        await other.GetStream().WriteAsync("x"u8.ToArray(), Rig.Token);
        Assert.Equal('x', other.GetStream().ReadByte());
        server.CloseFirst();
        Assert.Equal(0, await client.GetStream().ReadAsync(received, Rig.Token));
        await other.GetStream().WriteAsync("y"u8.ToArray(), Rig.Token);
        Assert.Equal('y', other.GetStream().ReadByte());
    }

    /// <summary>A login that is refused: the answer with the reason, and the connection is closed with it.</summary>
    [Theory]
    [InlineData(48)]
    [InlineData(3_000_000)]
    public async Task What_the_server_sent_before_it_closed_the_connection_arrives(int length)
    {
        var last = RandomNumberGenerator.GetBytes(length);
        using var server = new TunnelServer(_authority, Host, "101 Switching Protocols") { Last = last };
        using var tunnel = await StartAsync(server);
        for (var round = 0; round < 5; round++)
        {
            using var client = await tunnel.ConnectAsync();
            using var received = new MemoryStream();
            await client.GetStream().CopyToAsync(received, Rig.Token);
            Assert.Equal(last, received.ToArray());
        }
    }

    [Fact]
    public async Task The_tunnel_ends_when_the_server_does_not_know_the_mount_any_more()
    {
        using var server = new TunnelServer(_authority, Host, "404 Not Found");
        using var tunnel = await StartAsync(server);
        using var client = await tunnel.ConnectAsync();
        Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1], Rig.Token));
        await tunnel.Process.WaitForExitAsync(Rig.Token);
        Assert.Equal(0, tunnel.Process.ExitCode);
    }

    [Theory]
    [InlineData(true, "elsewhere.example")]
    [InlineData(false, Host)]
    public async Task A_server_that_has_no_certificate_for_the_name_by_the_scripts_authority_gets_nothing(bool isAuthority, string name)
    {
        using var other = new TestAuthority("the wrong one");
        using var server = new TunnelServer(isAuthority ? _authority : other, name, "101 Switching Protocols");
        using var tunnel = await StartAsync(server);
        using var client = await tunnel.ConnectAsync();
        Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1], Rig.Token));
        Assert.Equal("", server.Request);
        Assert.Contains($"no certificate for {Host} that can be trusted", await tunnel.Process.StandardError.ReadLineAsync(Rig.Token), StringComparison.Ordinal);
    }

    private string WriteScript(FileRecoveryOptions options) => RecoveryScript.Linux.Write(_mount, _mount.Secrets.Password, options);

    private async Task<string> TemplateAsync()
    {
        using var stream = typeof(RecoveryScript).Assembly.GetManifestResourceStream("recover-files.py")!;
        var path = Path.Combine(_rig.Folder, "template.py");
        await using var file = File.Create(path);
        await stream.CopyToAsync(file, Rig.Token);
        return path;
    }

    private async Task<Tunnel> StartAsync(TunnelServer server)
    {
        var path = Path.Combine(_rig.Folder, "tunnel.py");
        var authority = await File.ReadAllTextAsync(_authority.WritePem(Path.Combine(_rig.Folder, "ca.pem")), Rig.Token);
        await File.WriteAllTextAsync(path, WriteScript(new() { OverlayFolder = "/nowhere", Portal = new(Host, server.Port), AuthorityPem = authority })
            // The mount's clock is the test's, the script's is not.
            .Replace($"ExpiresAt=\"{_mount.EndsAt:yyyy}", "ExpiresAt=\"2999", StringComparison.Ordinal), Rig.Token);
        var process = Process.Start(new ProcessStartInfo(Python,
            ["-c", Load + "listener = socket.socket(); listener.bind(('127.0.0.1', 0)); listener.listen(); print(listener.getsockname()[1], flush=True)\nscript.serve_tunnel(listener, '127.0.0.1', int(script.TargetPortalPortNumber))", path])
        { RedirectStandardOutput = true, RedirectStandardError = true })!;
        return new(process, int.Parse((await process.StandardOutput.ReadLineAsync(Rig.Token))!, System.Globalization.CultureInfo.InvariantCulture));
    }

    /// <summary>A tunnel that runs.</summary>
    private sealed record Tunnel(Process Process, int Port) : IDisposable
    {
        public async Task<TcpClient> ConnectAsync()
        {
            var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, Port, Rig.Token);
            return client;
        }

        public void Dispose()
        {
            if (!Process.HasExited) Process.Kill();
            Process.Dispose();
        }
    }

    /// <summary>The far end of a tunnel: TLS, an answer, and then what came in goes back.</summary>
    private sealed class TunnelServer : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly TestAuthority _authority;
        private readonly string _name;
        private readonly string _answer;
        private readonly List<TcpClient> _clients = [];

        public TunnelServer(TestAuthority authority, string name, string answer)
        {
            (_authority, _name, _answer) = (authority, name, answer);
            _listener.Start();
            _ = AcceptAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        /// <summary>The first request's head.</summary>
        public string Request { get; private set; } = "";

        /// <summary>What it sends, and closes; null sends back what came in.</summary>
        public byte[]? Last { get; init; }

        public void CloseFirst() => _clients[0].Close();

        public void Dispose()
        {
            _listener.Dispose();
            _clients.ForEach(client => client.Dispose());
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    var client = await _listener.AcceptTcpClientAsync();
                    _clients.Add(client);
                    _ = AnswerAsync(client);
                }
            }
            catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }

        private async Task AnswerAsync(TcpClient client)
        {
            try
            {
                using var certificate = _authority.Issue(_name);
                using var _ = client;
                await using var stream = new SslStream(client.GetStream());
                await stream.AuthenticateAsServerAsync(certificate);
                var head = new StringBuilder();
                var one = new byte[1];
                while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one) == 1) head.Append((char)one[0]);
                if (Request.Length == 0) Request = head.ToString();
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {_answer}\r\nConnection: Upgrade\r\nUpgrade: iscsi\r\n\r\n"));
                if (!_answer.StartsWith("101", StringComparison.Ordinal)) return;
                if (Last is { } last) await stream.WriteAsync(last);
                else await stream.CopyToAsync(stream, 65536);
            }
            catch (Exception ended) when (ended is IOException or ObjectDisposedException or System.Security.Authentication.AuthenticationException)
            {
                // The other end is gone, or trusts nobody here.
            }
        }
    }
}
