using Strongroom.Backup.Machines;
using Strongroom.Blocks;

namespace Strongroom.Libvirt.Restores;

/// <summary>A machine with two small disks, qcow2 and raw, which is not made to boot.</summary>
internal static class SampleDomain
{
    public const long DiskBytes = 8 << 20;

    /// <summary>Defines it, with its disks in the lab's pool.</summary>
    public static async Task<VirtualMachine> DefineAsync(RestoreLab lab, string name, CancellationToken cancellationToken)
    {
        await ImageAsync(Path.Combine(lab.Disks, $"{name}.qcow2"), "qcow2", cancellationToken);
        await ImageAsync(Path.Combine(lab.Disks, $"{name}-data.img"), "raw", cancellationToken);
        var file = Path.Combine(lab.Libvirtd.Folders.Root, $"{name}.xml");
        await File.WriteAllTextAsync(file,
            $"""
            <domain type='qemu'>
              <name>{name}</name>
              <memory unit='MiB'>64</memory>
              <os><type arch='x86_64' machine='pc'>hvm</type></os>
              <devices>
                <disk type='file' device='disk'>
                  <driver name='qemu' type='qcow2' discard='unmap'/><source file='{lab.Disks}/{name}.qcow2'/><target dev='vda' bus='virtio'/><serial>system</serial><boot order='1'/>
                </disk>
                <disk type='file' device='disk'>
                  <driver name='qemu' type='raw'/><source file='{lab.Disks}/{name}-data.img'/><target dev='vdb' bus='virtio'/>
                </disk>
                <disk type='file' device='cdrom'>
                  <driver name='qemu' type='raw'/><source file='{lab.Disks}/cd.iso'/><target dev='hda' bus='ide'/><readonly/>
                </disk>
                <interface type='user'><mac address='52:54:00:aa:bb:cc'/><model type='virtio'/></interface>
                <serial type='file'><source path='{lab.Libvirtd.Folders.Scratch}/{name}.log'/></serial>
                <graphics type='vnc' port='5999' passwd='secret'/>
              </devices>
            </domain>
            """, cancellationToken);
        await lab.VirshAsync(cancellationToken, "define", file);
        return await lab.BackedUpAsync(name, cancellationToken);
    }

    /// <summary>The same bytes for the same seed.</summary>
    public static byte[] Content(int seed)
    {
        var content = new byte[DiskBytes];
        // Half of it is zeros, which take no room.
        new Random(seed).NextBytes(content.AsSpan(0, content.Length / 2));
        return content;
    }

    /// <summary>Writes a disk of a restore, in two parts and not in their order.</summary>
    public static Task WriteAsync(IMachineRestore restore, MachineDisk disk, byte[] content, CancellationToken cancellationToken) =>
        WriteAsync(restore.CreateDiskAsync(disk, cancellationToken), content, cancellationToken);

    /// <inheritdoc cref="WriteAsync(IMachineRestore, MachineDisk, byte[], CancellationToken)"/>
    public static Task WriteAsync(IDiskRestore restore, MachineDisk disk, byte[] content, CancellationToken cancellationToken) =>
        WriteAsync(restore.CreateDiskAsync(disk, cancellationToken), content, cancellationToken);

    private static async Task WriteAsync(Task<IDiskWriter> created, byte[] content, CancellationToken cancellationToken)
    {
        await using var writer = await created;
        await writer.WriteAsync(1 << 20, content.AsMemory(1 << 20, 3 << 20), cancellationToken);
        await writer.WriteAsync(0, content.AsMemory(0, 1 << 20), cancellationToken);
        await writer.FinishAsync(cancellationToken);
    }

    /// <summary>What a guest sees of an image.</summary>
    public static async Task<byte[]> ReadAsync(string image, string format, CancellationToken cancellationToken)
    {
        using var folder = new TempFolder();
        var raw = folder.Combine("raw");
        (await CommandResult.RunAsync("qemu-img", ["convert", "-f", format, "-O", "raw", image, raw], null, cancellationToken)).Succeeded();
        return await File.ReadAllBytesAsync(raw, cancellationToken);
    }

    private static async Task ImageAsync(string path, string format, CancellationToken cancellationToken) =>
        (await CommandResult.RunAsync(Peer.RequireOrSkip("qemu-img", "qemu-utils"), ["create", "-q", "-f", format, path, $"{DiskBytes}"], null, cancellationToken)).Succeeded();
}
