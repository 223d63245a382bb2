using System.Xml.Linq;
using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

namespace Strongroom.Libvirt.Restores;

/// <summary>Disks in the place of those that a machine of a libvirt host has.</summary>
public sealed class ReplacementTests
{
    private static readonly HostRun Run = new(Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e"), 1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Disks_are_replaced_and_all_else_stays()
    {
        await using var lab = await RestoreLab.StartAsync(Token);
        var machine = await SampleDomain.DefineAsync(lab, "web1", Token);
        await MakeCheckpointAsync(lab);
        var before = await lab.DescribeAsync("web1", Token);
        var old = Path.Combine(lab.Disks, "web1.qcow2");
        await using (var restore = await lab.NewRestorer().ReplaceAsync(machine, Run, Token))
        {
            await SampleDomain.WriteAsync(restore, machine.Disks[0], SampleDomain.Content(1), Token);
            Assert.True(File.Exists(old));
            Assert.NotEqual(0, (await lab.Libvirtd.VirshAsync(["start", "web1"], Token)).ExitCode);
            await restore.CommitAsync(Token);
            Assert.Empty(restore.Notes);
        }

        Assert.Equal(["web1-data.img", "web1-vda.0f8fad5b-1.qcow2"], lab.Files());
        Assert.Equal(SampleDomain.Content(1), await SampleDomain.ReadAsync(Path.Combine(lab.Disks, "web1-vda.0f8fad5b-1.qcow2"), "qcow2", Token));
        Assert.Empty(await lab.VirshAsync(Token, "checkpoint-list", "web1", "--name"));
        var after = await lab.DescribeAsync("web1", Token);
        Assert.Contains(Run.JobId.ToString(), after.Element("metadata")!.ToString(), StringComparison.Ordinal);
        after.Element("metadata")!.Remove();
        DiskOf(after).Element("source")!.SetAttributeValue("file", old);
        Assert.Equal(before.ToString(), after.ToString());

        await using (var again = await lab.NewRestorer().ReplaceAsync(machine, Run with { Fence = 2 }, Token)) Assert.True(again.IsCommitted);
        await using var next = await lab.NewRestorer().ReplaceAsync(machine, new(Guid.NewGuid(), 1), Token);
        Assert.False(next.IsCommitted);
    }

    [Fact]
    public async Task A_disk_that_the_machine_has_lost_is_added_again()
    {
        await using var lab = await RestoreLab.StartAsync(Token);
        var machine = await SampleDomain.DefineAsync(lab, "web1", Token);
        await lab.VirshAsync(Token, "detach-disk", "web1", "vdb", "--config");
        File.Delete(Path.Combine(lab.Disks, "web1.qcow2"));
        await using (var restore = await lab.NewRestorer().ReplaceAsync(machine, Run, Token))
        {
            foreach (var disk in machine.Disks) await SampleDomain.WriteAsync(restore, disk, SampleDomain.Content(disk.Lun + 1), Token);
            await restore.CommitAsync(Token);
        }

        Assert.Equal(machine.Disks, (await lab.BackedUpAsync("web1", Token)).Disks);
        // The one that was taken off is the owner's still.
        Assert.Equal(["web1-data.img", "web1-vda.0f8fad5b-1.qcow2", "web1-vdb.0f8fad5b-1.raw"], lab.Files());
    }

    [Fact]
    public async Task A_machine_that_runs_or_sleeps_or_has_snapshots_keeps_its_disks()
    {
        await using var lab = await RestoreLab.StartAsync(Token);
        var machine = await SampleDomain.DefineAsync(lab, "web1", Token);
        await lab.VirshAsync(Token, "snapshot-create-as", "web1", "before", "--disk-only", "--diskspec", "vda,snapshot=external", "--diskspec", "vdb,snapshot=no");
        Assert.Equal(MachineProblem.DiskUnsupported, await RefusedAsync());
        await lab.VirshAsync(Token, "snapshot-delete", "web1", "before", "--metadata");
        await lab.VirshAsync(Token, "change-media", "web1", "hda", "--eject", "--config");
        await lab.VirshAsync(Token, "start", "web1");
        Assert.Equal(MachineProblem.DiskInUse, await RefusedAsync());
        await lab.VirshAsync(Token, "managedsave", "web1");
        Assert.Equal(MachineProblem.DiskInUse, await RefusedAsync());

        async Task<MachineProblem> RefusedAsync() => (await Assert.ThrowsAsync<MachineException>(() => lab.NewRestorer().ReplaceAsync(machine, Run, Token))).Problem;
    }

    [Fact]
    public async Task A_server_that_ended_between_the_definition_and_the_end_of_the_old_disks_removes_them_at_its_start()
    {
        await using var lab = await RestoreLab.StartAsync(Token);
        var machine = await SampleDomain.DefineAsync(lab, "web1", Token);
        var restore = await lab.NewRestorer().ReplaceAsync(machine, Run, Token);
        await SampleDomain.WriteAsync(restore, machine.Disks[0], SampleDomain.Content(1), Token);
        // The definition, and no more.
        var description = await lab.DescribeAsync("web1", Token);
        DiskOf(description).Element("source")!.SetAttributeValue("file", Path.Combine(lab.Disks, "web1-vda.0f8fad5b-1.qcow2"));
        new RestoreMetadata(Run, [Path.Combine(lab.Disks, "web1.qcow2")]).Write(description);
        await lab.UseAsync(connection =>
        {
            using var defined = connection.DefineDomain(description.ToString());
            return 0;
        }, Token);

        await lab.SweepAsync(Token);
        Assert.Equal(["web1-data.img", "web1-vda.0f8fad5b-1.qcow2"], lab.Files());
        Assert.DoesNotContain("web1.qcow2", (await lab.DescribeAsync("web1", Token)).ToString(), StringComparison.Ordinal);
        await restore.DisposeAsync();
        Assert.Equal(["web1-data.img", "web1-vda.0f8fad5b-1.qcow2"], lab.Files());
    }

    [Fact]
    public async Task A_run_that_was_cut_off_before_leaves_the_machine_as_it_was()
    {
        await using var lab = await RestoreLab.StartAsync(Token);
        var machine = await SampleDomain.DefineAsync(lab, "web1", Token);
        var (files, description) = (lab.Files(), await lab.DescribeAsync("web1", Token));
        var restore = await lab.NewRestorer().ReplaceAsync(machine, Run, Token);
        await SampleDomain.WriteAsync(restore, machine.Disks[0], SampleDomain.Content(1), Token);
        await lab.SweepAsync(Token);
        Assert.Equal(files, lab.Files());
        await Assert.ThrowsAsync<MachineException>(() => restore.CommitAsync(Token));
        await restore.DisposeAsync();
        Assert.Equal((description.ToString(), files.Length), ((await lab.DescribeAsync("web1", Token)).ToString(), lab.Files().Length));
    }

    [Fact]
    public async Task An_old_disk_that_another_disk_is_made_over_or_that_no_pool_has_is_kept_and_told()
    {
        await using var lab = await RestoreLab.StartAsync(Token);
        var machine = await SampleDomain.DefineAsync(lab, "web1", Token);
        var old = Path.Combine(lab.Disks, "web1.qcow2");
        await OverlayAsync(Path.Combine(lab.Disks, "clone.qcow2"), old);
        var outside = Path.Combine(lab.Libvirtd.Folders.Root, "data.img");
        File.Move(Path.Combine(lab.Disks, "web1-data.img"), outside);
        var description = await lab.DescribeAsync("web1", Token);
        description.Element("devices")!.Elements("disk").ElementAt(1).Element("source")!.SetAttributeValue("file", outside);
        await lab.UseAsync(connection =>
        {
            using var defined = connection.DefineDomain(description.ToString());
            return 0;
        }, Token);

        await using (var restore = await lab.NewRestorer().ReplaceAsync(machine, Run, Token))
        {
            foreach (var disk in machine.Disks) await SampleDomain.WriteAsync(restore, disk, SampleDomain.Content(1), Token);
            await restore.CommitAsync(Token);
            Assert.Equal([$"'{old}' is kept, because something else uses it.", $"The old disk '{outside}' is in no storage pool, and is kept."], restore.Notes);
        }

        Assert.Equal((true, true), (File.Exists(old), File.Exists(outside)));
    }

    [Theory]
    [InlineData("of a machine that is off, by way of an image and a link that no pool has")]
    [InlineData("that came into a pool behind libvirt's back")]
    [InlineData("of a machine, which cannot be read")]
    public async Task An_old_disk_is_kept_when_there_is_or_may_be_a_disk_made_over_it(string which)
    {
        await using var lab = await RestoreLab.StartAsync(Token);
        var machine = await SampleDomain.DefineAsync(lab, "golden", Token);
        var old = Path.Combine(lab.Disks, "golden.qcow2");
        var outside = Directory.CreateDirectory(Path.Combine(lab.Libvirtd.Folders.Root, "clones")).FullName;
        var clone = Path.Combine(outside, "clone.qcow2");
        if (which.StartsWith("that", StringComparison.Ordinal))
        {
            await lab.AddPoolAsync("clones", outside, Token);
            await OverlayAsync(clone, old);
        }
        else
        {
            if (!which.EndsWith("read", StringComparison.Ordinal))
            {
                File.CreateSymbolicLink(Path.Combine(outside, "images"), lab.Disks);
                await OverlayAsync(Path.Combine(outside, "middle.qcow2"), Path.Combine("images", "golden.qcow2"));
                await OverlayAsync(clone, "middle.qcow2");
            }

            var file = Path.Combine(lab.Libvirtd.Folders.Root, "clone.xml");
            await File.WriteAllTextAsync(file,
                $"""
                <domain type='qemu'><name>clone</name><memory unit='MiB'>64</memory><os><type arch='x86_64'>hvm</type></os><devices>
                <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{clone}'/><target dev='vda' bus='virtio'/></disk>
                </devices></domain>
                """, Token);
            await lab.VirshAsync(Token, "define", file);
        }

        await using (var restore = await lab.NewRestorer().ReplaceAsync(machine, Run, Token))
        {
            await SampleDomain.WriteAsync(restore, machine.Disks[0], SampleDomain.Content(1), Token);
            await restore.CommitAsync(Token);
            Assert.Equal(which.EndsWith("read", StringComparison.Ordinal) ? $"'{old}' is kept, because '{clone}' cannot be read, and may be made over it." : $"'{old}' is kept, because something else uses it.", Assert.Single(restore.Notes));
        }

        Assert.True(File.Exists(old));
    }

    private static XElement DiskOf(XElement domain) => domain.Element("devices")!.Elements("disk").First();

    private static async Task OverlayAsync(string path, string backing) =>
        (await CommandResult.RunAsync("qemu-img", ["create", "-q", "-f", "qcow2", "-b", backing, "-F", "qcow2", path], null, Token)).Succeeded();

    /// <summary>A checkpoint needs a machine that runs.</summary>
    private static async Task MakeCheckpointAsync(RestoreLab lab)
    {
        await lab.VirshAsync(Token, "change-media", "web1", "hda", "--eject", "--config");
        await lab.VirshAsync(Token, "start", "web1", "--paused");
        await lab.VirshAsync(Token, "checkpoint-create-as", "web1", "first", "--diskspec", "vda,checkpoint=bitmap", "--diskspec", "vdb,checkpoint=no");
        await lab.VirshAsync(Token, "destroy", "web1");
        Assert.Equal("first", await lab.VirshAsync(Token, "checkpoint-list", "web1", "--name"));
    }
}
