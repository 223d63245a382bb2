using System.Diagnostics;

namespace Strongroom.Libvirt.Hosts;

/// <summary>An sshd on a port of 127.0.0.1 whose sessions see what a libvirtd sees, with keys and settings of its own; nothing of the machine's or the user's own is read or written.</summary>
internal sealed class SshServer : IDisposable
{
    private readonly Process _process;

    private SshServer(Process process, string uri) => (_process, Uri) = (process, uri);

    /// <summary>What clients of libvirt connect to.</summary>
    public string Uri { get; }

    public static async Task<SshServer> StartAsync(Libvirtd host, CancellationToken cancellationToken)
    {
        var sshd = Peer.RequireOrSkip("sshd", "openssh-server");
        var ssh = Peer.RequireOrSkip("ssh", "openssh-client");
        var folder = Directory.CreateDirectory(Path.Combine(host.Folders.Root, "ssh")).FullName;
        // Debian's sshd is without rights there while it does not know the other side.
        Directory.CreateDirectory(Path.Combine(host.Folders.Root, "run", "sshd"));
        foreach (var key in (string[])["host", "client"])
            (await CommandResult.RunAsync(Peer.RequireOrSkip("ssh-keygen", "openssh-client"), ["-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(folder, key)], null, cancellationToken)).Succeeded();
        var port = FreePorts.Take();
        await File.WriteAllTextAsync(Path.Combine(folder, "sshd_config"),
            $"""
            Port {port}
            ListenAddress 127.0.0.1
            HostKey {folder}/host
            AuthorizedKeysFile {folder}/client.pub
            PidFile none
            StrictModes no
            UsePAM no
            PasswordAuthentication no
            PermitRootLogin prohibit-password

            """, cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "known_hosts"), $"[127.0.0.1]:{port} {await File.ReadAllTextAsync(Path.Combine(folder, "host.pub"), cancellationToken)}", cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "ssh_config"),
            $"""
            IdentityFile {folder}/client
            IdentitiesOnly yes
            UserKnownHostsFile {folder}/known_hosts
            StrictHostKeyChecking yes
            BatchMode yes

            """, cancellationToken);
        var command = Path.Combine(folder, "ssh");
        await File.WriteAllTextAsync(command, $"#!/bin/sh\nexec {ssh} -F {folder}/ssh_config \"$@\"\n", cancellationToken);
        File.SetUnixFileMode(command, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var process = host.StartBeside(sshd, ["-D", "-e", "-f", Path.Combine(folder, "sshd_config")]);
        // It says where it listens once it does.
        for (var said = ""; !said.Contains("Server listening", StringComparison.Ordinal);)
            said = await process.StandardError.ReadLineAsync(cancellationToken) ?? throw new InvalidOperationException("sshd did not start.");
        _ = process.StandardError.ReadToEndAsync(CancellationToken.None);
        return new(process, $"qemu+ssh://{Environment.UserName}@127.0.0.1:{port}/system?command={command}&pkipath={host.Folders.Certificates.OfLibvirt}");
    }

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }
}
