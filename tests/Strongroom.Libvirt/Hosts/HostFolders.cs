namespace Strongroom.Libvirt.Hosts;

/// <summary>The folders of a libvirtd of one's own: those it believes to be the machine's, and those of its machines.</summary>
/// <param name="Root">What holds them; open to the user that QEMU runs as.</param>
internal sealed record HostFolders(string Root)
{
    /// <summary>Debian's user and group for QEMU; QEMU runs as root where they are missing.</summary>
    private const string QemuUser = "libvirt-qemu", QemuGroup = "kvm";

    /// <summary>Disks of machines, and the pool for restored ones.</summary>
    public string Disks => Path.Combine(Root, "disks");

    /// <summary>Scratch files of backups.</summary>
    public string Scratch => Path.Combine(Root, "scratch");

    /// <summary>Sockets that QEMU listens on.</summary>
    public string Sockets => Path.Combine(Root, "sockets");

    /// <summary>What machines write to their serial ports.</summary>
    public string Serial => Path.Combine(Root, "serial");

    /// <summary>Certificates for clients by TLS, of libvirtd and of QEMU's NBD server.</summary>
    public HostCertificates Certificates => new(Path.Combine(Root, "pki"));

    /// <summary>What libvirtd's clients connect to.</summary>
    public string LibvirtSocket => Path.Combine(Run, "libvirt", "libvirt-sock");

    /// <summary>What QEMU of NAME said, for messages.</summary>
    public string LogFile(string machine) => Path.Combine(Root, "log", "qemu", $"{machine}.log");

    /// <summary>Where libvirtd keeps what it knows of NAME while it runs.</summary>
    public string StateFile(string machine) => Path.Combine(Run, "libvirt", "qemu", $"{machine}.xml");

    /// <summary>Each of ours, and the machine's that it is put over.</summary>
    public IReadOnlyList<(string Ours, string Theirs)> Mounts =>
    [
        (Run, "/run"),
        (Path.Combine(Root, "lib"), "/var/lib/libvirt"),
        (Path.Combine(Root, "cache"), "/var/cache/libvirt"),
        (Path.Combine(Root, "log"), "/var/log/libvirt"),
        (Path.Combine(Root, "etc"), "/etc/libvirt"),
    ];

    private string[] OfQemu => [Disks, Scratch, Sockets, Serial];

    private string Run => Path.Combine(Root, "run");

    /// <summary>Makes them, and the settings of libvirtd and its QEMU driver.</summary>
    /// <param name="tlsPort">Where libvirtd is to listen, on 127.0.0.1; null for nowhere.</param>
    public async Task CreateAsync(int? tlsPort, CancellationToken cancellationToken)
    {
        Certificates.Create();
        foreach (var folder in Mounts.Select(mount => mount.Ours).Concat(OfQemu))
            Directory.CreateDirectory(folder);
        File.SetUnixFileMode(Root, (UnixFileMode)0b111_101_101);
        var known = File.ReadLines("/etc/passwd").Any(line => line.StartsWith($"{QemuUser}:", StringComparison.Ordinal));
        if (known)
            (await CommandResult.RunAsync("chown", [$"{QemuUser}:{QemuGroup}", .. OfQemu], null, cancellationToken)).Succeeded();
        await File.WriteAllTextAsync(Path.Combine(Root, "etc", "libvirtd.conf"),
            $"""
            auth_unix_ro = "none"
            auth_unix_rw = "none"
            log_outputs = "3:stderr"
            listen_tcp = 0
            listen_tls = {(tlsPort is null ? 0 : 1)}
            listen_addr = "127.0.0.1"
            tls_port = "{tlsPort ?? 0}"
            ca_file = "{Certificates.OfLibvirt}/cacert.pem"
            cert_file = "{Certificates.OfLibvirt}/servercert.pem"
            key_file = "{Certificates.OfLibvirt}/serverkey.pem"
            """, cancellationToken);
        // Without virtlogd (stdio_handler), in our namespaces and in no cgroup, so that nothing outlives it.
        await File.WriteAllTextAsync(Path.Combine(Root, "etc", "qemu.conf"),
            $"""
            user = "{(known ? QemuUser : "root")}"
            group = "{(known ? QemuGroup : "root")}"
            stdio_handler = "file"
            cgroup_controllers = []
            namespaces = []
            security_driver = "none"
            backup_tls_x509_cert_dir = "{Certificates.OfQemu}"
            backup_tls_x509_verify = 1
            """, cancellationToken);
    }
}
