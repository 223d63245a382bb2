using Strongroom.Backup.Machines;
using Strongroom.Libvirt.Hosts;
using Strongroom.Workloads.VirtualMachines.Libvirt;
using Strongroom.Workloads.VirtualMachines.Libvirt.Remote;

namespace Strongroom.Libvirt.Remote;

/// <summary>Where the certificates for other machines are looked for, and what is said when there are none.</summary>
public sealed class RemoteCertificatesTests
{
    [Fact]
    public void The_folder_that_the_uri_names_is_used()
    {
        using var folder = new TempFolder();
        new HostCertificates(folder.Combine("named pki")).Create();
        var options = RemoteCertificates.Load(Host($"qemu+tls://kvm1.example/system?no_tty=1&pkipath={folder.Path}/named%20pki/libvirt"));
        Assert.Equal("CN=Test authority", Assert.Single(options.Authorities!).Subject);
        Assert.Equal("CN=client", options.Certificate!.Subject);
        Assert.True(options.Certificate.HasPrivateKey);
    }

    [Fact]
    public void Without_certificates_it_is_said_what_is_missing()
    {
        using var folder = new TempFolder();
        var certificates = new HostCertificates(folder.Path);
        certificates.Create();
        File.Delete(Path.Combine(certificates.OfLibvirt, "clientkey.pem"));
        var refused = Assert.Throws<MachineException>(() => RemoteCertificates.Load(Host($"qemu+ssh://backup@kvm1.example/system?pkipath={certificates.OfLibvirt}")));
        Assert.Equal($"Host 'kvm1' is another machine, whose disks are read over TLS only, and the server lacks its certificates: there is no '{certificates.OfLibvirt}/clientkey.pem'.", refused.Message);
    }

    [Fact]
    public void A_file_that_is_no_certificate_is_said_to_be_of_no_use()
    {
        using var folder = new TempFolder();
        var certificates = new HostCertificates(folder.Path);
        certificates.Create();
        File.WriteAllText(Path.Combine(certificates.OfLibvirt, "clientcert.pem"), "nothing");
        var refused = Assert.Throws<MachineException>(() => RemoteCertificates.Load(Host($"qemu+tls://kvm1.example/system?pkipath={certificates.OfLibvirt}")));
        Assert.Contains("cannot be used", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_certificate_and_its_key_come_from_one_place()
    {
        using var folder = new TempFolder();
        var (own, system) = (new HostCertificates(folder.Combine("own")), new HostCertificates(folder.Combine("system")));
        own.Create();
        system.Create();
        File.Delete(Path.Combine(own.OfLibvirt, "clientkey.pem"));
        var options = RemoteCertificates.Load(Host("qemu+tls://kvm1.example/system"), [TlsFiles.In(own.OfLibvirt), TlsFiles.In(system.OfLibvirt)]);
        Assert.Contains(options.Certificate!.ExportCertificatePem(), File.ReadAllText(Path.Combine(system.OfLibvirt, "clientcert.pem")), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_folder_in_the_uri_the_systems_places_are_looked_at_last()
    {
        Assert.Equal(TlsFiles.OfSystem, RemoteCertificates.Places("qemu+ssh://backup@kvm1.example/system")[^1]);
        Assert.Equal("[2001:db8::1]:10809", Strongroom.Blocks.Nbd.NbdAddress.Tcp(Host("qemu+tls://[2001:db8::1]/system").HostName, 10809).ToString());
    }

    private static LibvirtHost Host(string uri) => new("/subscriptions/s/resourceGroups/lab/providers/Strongroom.Fabric/hosts/kvm1", "s", "lab", "home", uri, "default", "/var/lib/libvirt/strongroom");
}
