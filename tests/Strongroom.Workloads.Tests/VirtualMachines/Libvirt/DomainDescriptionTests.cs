using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt;
using Strongroom.Workloads.VirtualMachines.Libvirt.Live;

namespace Strongroom.Workloads.Tests.VirtualMachines.Libvirt;

/// <summary>Descriptions that libvirt takes, and that nobody would write.</summary>
public sealed class DomainDescriptionTests
{
    [Fact]
    public void Numbers_of_any_size_are_read_or_passed_over()
    {
        var description = DomainDescription.Parse(
            """
            <domain><name>odd</name><uuid>6a5f0000-0000-4000-8000-0000000001d0</uuid><memory unit='KiB'>99999999999999999999</memory><vcpu>99999999999</vcpu>
              <devices>
                <disk type='file' device='disk'><source file='/a'/><target dev='vda'/><boot order='3000000000'/></disk>
                <disk type='file' device='disk'><source file='/b'/><target dev='vdb'/><boot order='99999999999'/></disk>
              </devices>
            </domain>
            """);

        Assert.Equal([3_000_000_000u, null], description.Disks.Select(disk => disk.BootOrder));
        Assert.Equal((0, 1), (description.MemoryMebibytes, description.Processors));
    }

    [Fact]
    public void Scratch_files_of_disks_with_long_names_have_short_names_of_their_own()
    {
        var names = new TraceNames(Guid.NewGuid());
        var run = new HostRun(Guid.NewGuid(), long.MaxValue);

        var files = new[] { new string('a', 300), new string('a', 299), "vda" }.Select(disk => names.Scratch(run, disk)).ToList();

        Assert.Equal(3, files.Distinct().Count());
        Assert.All(files, file => Assert.InRange(file.Length, 1, 255));
        Assert.EndsWith("-vda.scratch", files[2], StringComparison.Ordinal);
    }
}
