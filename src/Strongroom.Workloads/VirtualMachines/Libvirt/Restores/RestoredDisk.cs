using Strongroom.Backup.Machines;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

/// <summary>A disk that a restore has written on a host.</summary>
/// <param name="Disk">What it was when it was backed up.</param>
/// <param name="Path">Of its file or device on the host.</param>
/// <param name="IsBlock">It is a device.</param>
/// <param name="Format"><c>qcow2</c> or <c>raw</c>.</param>
internal sealed record RestoredDisk(MachineDisk Disk, string Path, bool IsBlock, string Format);
