using System.Xml.Linq;
using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

namespace Strongroom.Workloads.Tests.VirtualMachines.Libvirt;

/// <summary>What of a domain's description a machine gets that is restored from it.</summary>
public sealed class NewDomainTests
{
    private static readonly Guid Id = Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e");

    /// <summary>Everything that must not be shared has "old" in it.</summary>
    private const string Definition =
        """
        <domain type='kvm' id='7' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
          <name>old</name><uuid>6a5f0000-0000-4000-8000-0000000001d0</uuid><genid>6a5f0000-0000-4000-8000-0000000002d0</genid>
          <title>Shop</title>
          <metadata><app:mine xmlns:app='urn:app'>kept</app:mine></metadata>
          <memory unit='GiB'>4</memory><vcpu>3</vcpu>
          <os firmware='efi'><type arch='x86_64' machine='pc-q35-7.2'>hvm</type><loader readonly='yes' type='pflash'>/usr/share/OVMF.fd</loader>
            <nvram template='/usr/share/OVMF_VARS.fd'>/var/lib/libvirt/qemu/nvram/old_VARS.fd</nvram><kernel>/boot/vmlinuz</kernel></os>
          <sysinfo type='smbios'><system><entry name='uuid'>6a5f0000-0000-4000-8000-0000000001d0-old</entry><entry name='serial'>S1</entry></system></sysinfo>
          <sysinfo type='fwcfg'><entry name='opt/key' file='/etc/old'/></sysinfo>
          <seclabel type='static' model='dac' relabel='no'><label>old:old</label></seclabel>
          <devices>
            <emulator>/usr/bin/qemu-system-x86_64</emulator>
            <disk type='file' device='disk' snapshot='external'>
              <driver name='qemu' type='qcow2' cache='none' discard='unmap'/><source file='/disks/old.qcow2' index='1'><slices/></source>
              <backingStore type='file'><format type='qcow2'/><source file='/disks/old-base.qcow2'/></backingStore>
              <target dev='vda' bus='virtio'/><serial>S2</serial><boot order='1'/><address type='pci' slot='0x05'/>
            </disk>
            <disk type='network' device='disk'>
              <driver name='qemu' type='raw'/><auth username='old'><secret type='ceph' uuid='6a5f0000-0000-4000-8000-000000000300'/></auth>
              <source protocol='rbd' name='pool/old'><host name='old.example'/></source><target dev='sdb' bus='scsi'/><shareable/>
            </disk>
            <disk type='block' device='disk'><source dev='/dev/old'/><target dev='vdc' bus='virtio'/></disk>
            <disk type='file' device='cdrom'><source file='/iso/old.iso'/><target dev='sda' bus='sata'/><readonly/></disk>
            <interface type='bridge'><mac address='52:54:00:01:d0:01'/><source bridge='br0' portid='old'/><target dev='old0'/><model type='e1000'/><filterref filter='clean-traffic'/></interface>
            <interface type='vhostuser'><mac address='52:54:00:01:d0:02'/><source type='unix' path='/run/old.sock' mode='client'/><model type='virtio'/></interface>
            <serial type='file'><source path='/log/old'/><log file='/log/old2'/><target port='0'/></serial>
            <console type='file'><source path='/log/old'/><target type='serial' port='0'/></console>
            <channel type='unix'><source mode='bind' path='/run/old.agent'/><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
            <channel type='tcp'><source mode='connect' host='old' service='1'/><target type='guestfwd' address='10.0.2.1' port='4600'/></channel>
            <graphics type='vnc' port='5901' autoport='no' passwd='old' websocket='5701' listen='0.0.0.0'><listen type='socket' socket='/run/old.vnc'/></graphics>
            <tpm model='tpm-crb'><backend type='passthrough'><device path='/dev/tpm-old'/></backend></tpm>
            <hostdev mode='subsystem' type='pci'><source><address domain='0' bus='1' slot='0xold' function='0'/></source></hostdev>
            <filesystem type='mount'><source dir='/srv/old'/><target dir='x'/></filesystem>
            <shmem name='old'/>
            <rng model='virtio'><backend model='egd' type='unix'><source path='/run/old.egd'/></backend></rng>
            <vsock model='virtio'><cid auto='no' address='3'/></vsock>
          </devices>
          <qemu:commandline><qemu:arg value='-old'/></qemu:commandline>
        </domain>
        """;

    private static readonly RestoredDisk[] Disks =
    [
        new(new(-1, "vda", 1 << 20, "qcow2"), "/pool/new-vda.qcow2", false, "qcow2"),
        new(new(0, "sdb", 1 << 20, "raw"), "/dev/pool/new-sdb", true, "raw"),
    ];

    [Theory]
    [InlineData(null)]
    [InlineData("lab")]
    public void Nothing_that_only_one_machine_can_have_is_taken_over(string? network)
    {
        var made = Make(network);
        Assert.DoesNotContain("old", made.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("1d0", made.ToString(), StringComparison.Ordinal);
        Assert.Equal(("new", Id.ToString(), ""), ((string?)made.Element("name"), (string?)made.Element("uuid"), (string?)made.Element("genid")));
        Assert.Equal(("yes", null), ((string?)Device(made, "vsock").Element("cid")!.Attribute("auto"), made.Descendants("cid").Single().Attribute("address")));
        // It had a password, which is gone: now it must not listen to everybody.
        Assert.Equal(("yes", null), ((string?)Device(made, "graphics").Attribute("autoport"), (string?)Device(made, "graphics").Attribute("listen")));
        Assert.Empty(Device(made, "graphics").Elements());
        Assert.Equal(["serial:pty", "console:pty", "channel:unix"], made.Element("devices")!.Elements().Where(e => e.Name.LocalName is "serial" or "console" or "channel").Select(e => $"{e.Name.LocalName}:{(string?)e.Attribute("type")}"));
    }

    [Fact]
    public void Hardware_and_what_is_read_only_stay_as_they_were()
    {
        var made = Make(null);
        Assert.Equal(("kvm", "Shop", "3", "/boot/vmlinuz"), ((string?)made.Attribute("type"), (string?)made.Element("title"), (string?)made.Element("vcpu"), (string?)made.Element("os")!.Element("kernel")));
        Assert.Equal(("/usr/share/OVMF_VARS.fd", ""), ((string?)made.Descendants("nvram").Single().Attribute("template"), made.Descendants("nvram").Single().Value));
        Assert.Equal("S1", Assert.Single(made.Descendants("entry")).Value);
        Assert.Contains("kept", made.Element("metadata")!.Value, StringComparison.Ordinal);
        Assert.Equal(
            """<disk type="file" device="disk" snapshot="external"><driver name="qemu" type="qcow2" cache="none" discard="unmap" /><source file="/pool/new-vda.qcow2" />"""
            + """<target dev="vda" bus="virtio" /><serial>S2</serial><boot order="1" /><address type="pci" slot="0x05" /></disk>""",
            Plain(made.Descendants("disk").First()));
        Assert.Equal("<disk type=\"block\" device=\"disk\"><driver name=\"qemu\" type=\"raw\" /><source dev=\"/dev/pool/new-sdb\" /><target dev=\"sdb\" bus=\"scsi\" /></disk>", Plain(made.Descendants("disk").ElementAt(1)));
        // The one that is not restored is not there; the drive is, and is empty.
        Assert.Equal(["vda", "sdb", "sda"], made.Descendants("disk").Select(disk => (string?)disk.Element("target")!.Attribute("dev")));
        Assert.Null(made.Descendants("disk").Last().Element("source"));
    }

    [Fact]
    public void Interfaces_go_to_the_network_that_is_chosen_and_else_stay_where_they_can()
    {
        var kept = Assert.Single(Make(null).Descendants("interface"));
        Assert.Equal("<interface type=\"bridge\"><source bridge=\"br0\" /><model type=\"e1000\" /><filterref filter=\"clean-traffic\" /></interface>", Plain(kept));
        var moved = Make("lab").Descendants("interface").Select(Plain);
        Assert.Equal(
            ["<interface type=\"network\"><source network=\"lab\" /><model type=\"e1000\" /><filterref filter=\"clean-traffic\" /></interface>", "<interface type=\"network\"><source network=\"lab\" /><model type=\"virtio\" /></interface>"],
            moved);
    }

    /// <summary>Without the blanks between elements.</summary>
    private static string Plain(XElement element) => XElement.Parse(element.ToString()).ToString(SaveOptions.DisableFormatting);

    private static XElement Device(XElement domain, string name) => domain.Element("devices")!.Element(name)!;

    [Fact]
    public void On_another_host_its_own_emulator_is_taken()
    {
        Assert.Equal("/usr/bin/qemu-system-x86_64", Device(Make(null), "emulator").Value);
        Assert.Null(Make(null, isOwnHost: false).Element("devices")!.Element("emulator"));
    }

    private static XElement Make(string? network, bool isOwnHost = true)
    {
        var source = new VirtualMachine { SubscriptionId = "s", ResourceGroup = "g", Name = "web", Location = "l", VmId = Guid.Empty, HostId = "h", Disks = [] };
        return NewDomain.Make(Definition, new(source, "s", "g", "new", Id, null, null), Disks, network, isOwnHost);
    }
}
