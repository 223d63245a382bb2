using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt;
using Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

namespace Strongroom.Workloads.Tests.VirtualMachines.Libvirt;

/// <summary>By its name alone a mark in a storage pool tells whose it is.</summary>
public sealed class VolumeNamesTests
{
    private static readonly HostRun Run = new(Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e"), 3);
    private static readonly Guid Server = Guid.Parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
    private static readonly LibvirtHost Host = new("/subscriptions/s/resourceGroups/lab/providers/Strongroom.Fabric/hosts/one", "s", "lab", "home", "qemu:///system", "default", "/scratch");

    [Fact]
    public void A_mark_is_read_by_its_owner_alone()
    {
        var owner = VolumeNames.Owner(Server, Host);
        Assert.Equal("a27ae4e3d112f145", owner);
        Assert.Equal("strongroom-restore-0f8fad5bd9cb469fa16570867728950e.3.a27ae4e3d112f145", VolumeNames.Marker(Run, owner));
        Assert.True(VolumeNames.TryParseMarker(VolumeNames.Marker(Run, owner), owner, out var found));
        Assert.Equal(Run, found);

        string[] others = [VolumeNames.Owner(Guid.NewGuid(), Host), VolumeNames.Owner(Server, Host with { Id = Host.Id + "2" }), VolumeNames.Owner(Server, Host with { Uri = "qemu+tls://two/system" })];
        foreach (var other in others) Assert.False(VolumeNames.TryParseMarker(VolumeNames.Marker(Run, other), owner, out _));
        Assert.False(VolumeNames.TryParseMarker("strongroom-restore-0f8fad5bd9cb469fa16570867728950e.3", owner, out _));
        // Azure's ids are the same in any case.
        Assert.Equal(owner, VolumeNames.Owner(Server, Host with { Id = Host.Id.ToUpperInvariant() }));
    }
}
