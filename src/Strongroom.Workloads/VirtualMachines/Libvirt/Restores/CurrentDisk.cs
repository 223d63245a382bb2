using System.Collections.Immutable;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;
using Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

/// <summary>A hard disk that a domain has before it is replaced.</summary>
/// <param name="Target">The guest's name of it.</param>
/// <param name="Path">Of its file or device; null for one that is neither.</param>
/// <param name="Pool">The active storage pool that it is in, or null.</param>
/// <param name="Format"><c>qcow2</c>, <c>raw</c> and so on.</param>
internal sealed record CurrentDisk(string Target, string? Path, string? Pool, string Format)
{
    public static ImmutableArray<CurrentDisk> ListOf(LibvirtConnection connection, string xml)
    {
        var devices = DomainDescription.Load(xml).Element("devices")!;
        return [.. devices.Elements("disk").Where(DomainDescription.IsHardDisk).Select(disk =>
        {
            var path = StoragePools.PathOf(connection, disk.Element("source")!);
            using var volume = path is null ? null : StoragePools.FindVolume(connection, path);
            using var pool = volume?.FindPool();
            return new CurrentDisk(DomainDescription.TargetOf(disk), path, pool?.Name, (string?)disk.Element("driver")?.Attribute("type") ?? "raw");
        })];
    }
}
