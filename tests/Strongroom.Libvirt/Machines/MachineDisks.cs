using Strongroom.Libvirt.Guests;
using Strongroom.Libvirt.Hosts;

namespace Strongroom.Libvirt.Machines;

/// <summary>Makes the disks of a machine in its host's folder.</summary>
internal static class MachineDisks
{
    public static async Task<IReadOnlyList<MachineDisk>> CreateAsync(Libvirtd host, LiveGuest guest, MachinePlan plan, CancellationToken cancellationToken)
    {
        var disks = new List<MachineDisk> { await CreateAsync(host, plan, "vda", plan.BootDisk, guest.BootDisk, cancellationToken) };
        if (plan.DataDisks.Count == 0)
            return disks;
        var blank = Path.Combine(host.Folders.Disks, $"{plan.Name}.blank");
        (await CommandResult.RunAsync(Peer.RequireOrSkip("mke2fs", "e2fsprogs"), ["-q", "-t", "ext4", blank, $"{plan.DataDiskMebibytes}M"], null, cancellationToken)).Succeeded();
        foreach (var kind in plan.DataDisks)
            disks.Add(await CreateAsync(host, plan, $"vd{(char)('a' + disks.Count)}", kind, blank, cancellationToken));
        File.Delete(blank);
        return disks;
    }

    private static async Task<MachineDisk> CreateAsync(Libvirtd host, MachinePlan plan, string target, DiskKind kind, string rawFile, CancellationToken cancellationToken)
    {
        var disk = new MachineDisk(target, "", kind);
        var file = Path.Combine(host.Folders.Disks, $"{plan.Name}-{target}.{disk.Format}");
        (await CommandResult.RunAsync(Peer.RequireOrSkip("qemu-img", "qemu-utils"), ["convert", "-f", "raw", "-O", disk.Format, rawFile, file], null, cancellationToken)).Succeeded();
        if (!disk.IsBlockDevice)
            return disk with { Path = file };
        // qcow2 in a device grows there: the device is as large as the disk and some more for its tables.
        await using (var stream = new FileStream(file, FileMode.Open))
            stream.SetLength(kind == DiskKind.Qcow2Block ? new FileInfo(rawFile).Length + (8 << 20) : new FileInfo(rawFile).Length);
        return disk with { Path = await host.AttachLoopDeviceAsync(file, cancellationToken) };
    }
}
