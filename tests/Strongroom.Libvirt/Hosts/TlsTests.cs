using System.Xml.Linq;
using Strongroom.Libvirt.Guests;
using Strongroom.Libvirt.Machines;

namespace Strongroom.Libvirt.Hosts;

/// <summary>A host over TCP: libvirtd and QEMU's NBD server want TLS and a client's certificate.</summary>
public sealed class TlsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Libvirtd_answers_clients_with_a_certificate_only()
    {
        await using var host = await Libvirtd.StartAsync(Cancellation, listensForTls: true);
        await using var stranger = await Libvirtd.StartAsync(Cancellation);
        Assert.Equal(0, (await VirshAsync(host.TlsUri)).ExitCode);
        var refused = await VirshAsync(host.TlsUri.Replace(host.Folders.Certificates.OfLibvirt, stranger.Folders.Certificates.OfLibvirt, StringComparison.Ordinal));
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("certificate", refused.StandardError, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_pull_backup_is_read_over_tls_with_a_certificate_only()
    {
        var nbdinfo = Peer.RequireOrSkip("nbdinfo", "libnbd-bin");
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation);
        await using var stranger = await Libvirtd.StartAsync(Cancellation);
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1"), Cancellation);
        (await host.VirshAsync(["start", machine.Name], Cancellation)).Succeeded();
        var port = FreePorts.Take();
        var backup = Path.Combine(host.Folders.Root, "backup.xml");
        await File.WriteAllTextAsync(backup, new XElement("domainbackup", new XAttribute("mode", "pull"),
            new XElement("server", new XAttribute("transport", "tcp"), new XAttribute("tls", "yes"), new XAttribute("name", "127.0.0.1"), new XAttribute("port", port)),
            new XElement("disks", new XElement("disk", new XAttribute("name", "vda"), new XAttribute("backup", "yes"), new XAttribute("type", "file"),
                new XElement("scratch", new XAttribute("file", Path.Combine(host.Folders.Scratch, "vda")))))).ToString(), Cancellation);
        (await host.VirshAsync(["backup-begin", machine.Name, backup], Cancellation)).Succeeded();

        Assert.Equal("268435456", (await SizeAsync($"nbds://127.0.0.1:{port}/vda?tls-certificates={host.Folders.Certificates.OfQemu}")).Succeeded().StandardOutput.Trim());
        Assert.NotEqual(0, (await SizeAsync($"nbds://127.0.0.1:{port}/vda?tls-certificates={stranger.Folders.Certificates.OfQemu}")).ExitCode);
        Assert.NotEqual(0, (await SizeAsync($"nbd://127.0.0.1:{port}/vda")).ExitCode);

        Task<CommandResult> SizeAsync(string uri) => CommandResult.RunAsync(nbdinfo, ["--size", uri], null, Cancellation);
    }

    private static Task<CommandResult> VirshAsync(string uri) => CommandResult.RunAsync("virsh", ["-c", uri, "list"], null, Cancellation);
}
