using Strongroom.Blocks.Raw;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Live;

/// <summary>
/// Tells a disk from others. A bitmap does not: it bears the checkpoint's name on all disks of a machine and on all copies of them.
/// </summary>
internal static class DiskIdentity
{
    /// <summary>Where the disk is and, on this machine, which file or device that is: another text may be of the same disk, the same text is not of another one.</summary>
    public static string Of(LibvirtHost host, DomainDisk disk) =>
        host.IsLocal && disk.Source is { } path && FileIdentity.NameFile(path) is { } file ? $"{disk.Place} {file}" : disk.Place;
}
