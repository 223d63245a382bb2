using System.Collections.Immutable;
using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt;
using Strongroom.Workloads.VirtualMachines.Libvirt.Live;

namespace Strongroom.Workloads.Tests.VirtualMachines.Libvirt;

/// <summary>A bitmap is trusted on the disk that it was made on, and on no other one that has a bitmap of its name.</summary>
public sealed class KnownChangesTests : IDisposable
{
    private const string Checkpoint = "strongroom-1-1-1";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("strongroom-known-");
    private readonly Guid _domain = Guid.NewGuid();

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Disks_that_are_what_they_were_are_trusted()
    {
        var machine = Machine(Local, ("vda", "a"), ("vdb", "b"));
        Assert.Equal(["vda", "vdb"], Trusted(machine, machine));
    }

    [Fact]
    public void Disks_that_changed_places_are_not() =>
        Assert.Equal(["vda"], Trusted(Machine(Local, ("vda", "a"), ("vdb", "b"), ("vdc", "c")), Machine(Local, ("vda", "a"), ("vdb", "c"), ("vdc", "b"))));

    [Fact]
    public void Files_that_changed_names_are_not()
    {
        var before = Machine(Local, ("vda", "a"), ("vdb", "b"));
        var token = TokenOf(before);
        File.Move(PathOf("a"), PathOf("x"));
        File.Move(PathOf("b"), PathOf("a"));
        File.Move(PathOf("x"), PathOf("b"));
        Assert.Empty(Trusted(token, before));
    }

    [Fact]
    public void A_file_that_was_made_anew_under_the_name_is_not_even_if_it_has_the_number_of_the_old_one()
    {
        var before = Machine(Local, ("vda", "a"), ("vdb", "b"));
        var token = TokenOf(before);
        File.Delete(PathOf("b"));
        File.Copy(PathOf("a"), PathOf("b"));
        Assert.Equal(["vda"], Trusted(token, before));
    }

    [Fact]
    public void On_another_host_the_place_tells() =>
        Assert.Equal(["vda"], Trusted(Machine(Remote, ("vda", "a"), ("vdb", "b"), ("vdc", "c")), Machine(Remote, ("vda", "a"), ("vdb", "c"), ("vdc", "b"))));

    [Fact]
    public void A_disk_of_a_pool_and_one_of_a_network_have_places_too()
    {
        static string Disks(string volume, string export) =>
            $"""
            <disk type='volume' device='disk'><driver type='qcow2'/><source pool='p' volume='{volume}' index='{volume.Length}'/><target dev='vda'/></disk>
            <disk type='network' device='disk'><driver type='qcow2'/><source protocol='nbd' name='{export}'><host name='h' port='1'/></source><target dev='vdb'/></disk>
            """;
        var before = Machine(Local, Disks("v", "e"));
        Assert.Equal(["vda", "vdb"], Trusted(before, before));
        Assert.Equal(["vda"], Trusted(before, Machine(Local, Disks("v", "f"))));
        Assert.Equal(["vdb"], Trusted(before, Machine(Local, Disks("w", "e"))));
    }

    [Fact]
    public void A_point_that_does_not_say_which_disks_it_is_of_is_read_and_not_trusted()
    {
        Assert.True(TrackingToken.TryParse($"libvirt/1;{_domain};{Checkpoint}", out var token));
        Assert.Equal(Checkpoint, token.Checkpoint);
        Assert.Empty(Trusted($"libvirt/1;{_domain};{Checkpoint}", Machine(Local, ("vda", "a"))));
    }

    [Fact]
    public void A_lost_checkpoint_and_another_machine_are_told_apart()
    {
        var machine = Machine(Local, ("vda", "a"));
        var notes = new List<string>();
        Assert.Null(KnownChanges.Find(TokenOf(machine), machine, [], notes));
        Assert.Contains("not on the host any more", Assert.Single(notes), StringComparison.Ordinal);
        Assert.Null(KnownChanges.Find($"libvirt/2;{Guid.NewGuid()};{Checkpoint};{Guid.NewGuid()}", machine, [Checkpoint], notes));
        Assert.Contains("another machine", notes[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("libvirt/3;6695eb01-f6a4-8304-79aa-97f2502e193f;c")]
    [InlineData("libvirt/2;6695eb01;c;6695eb01-f6a4-8304-79aa-97f2502e193f")]
    [InlineData("libvirt/2;6695eb01-f6a4-8304-79aa-97f2502e193f;;6695eb01-f6a4-8304-79aa-97f2502e193f")]
    [InlineData("libvirt/2;6695eb01-f6a4-8304-79aa-97f2502e193f;c")]
    [InlineData("libvirt/2;6695eb01-f6a4-8304-79aa-97f2502e193f;c;vda=a")]
    [InlineData("libvirt/2;6695eb01-f6a4-8304-79aa-97f2502e193f;c;6695eb01-f6a4-8304-79aa-97f2502e193f;vda")]
    [InlineData("libvirt/1;6695eb01-f6a4-8304-79aa-97f2502e193f;c;vda=a")]
    public void What_is_no_token_is_none(string text) => Assert.False(TrackingToken.TryParse(text, out _));

    [Fact]
    public void A_token_keeps_whatever_a_path_may_hold()
    {
        var token = new TrackingToken(_domain, Checkpoint, Guid.NewGuid(), ImmutableSortedDictionary<string, string>.Empty.Add("vda", "file=/srv/a;b=c%3B d\n\u00e4"));
        Assert.True(TrackingToken.TryParse(token.ToString(), out var read));
        Assert.Equal((token.PointId, Checkpoint), (read.PointId, read.Checkpoint));
        Assert.Equal(token.Disks, read.Disks);
        Assert.Equal(token.ToString(), read.ToString());
    }

    private static LibvirtHost Local => new("/subscriptions/s/resourceGroups/lab/providers/Strongroom.Fabric/hosts/h", "s", "lab", "home", "qemu:///system", "default", "/srv/scratch");

    private static LibvirtHost Remote => Local with { Uri = "qemu+tls://h/system" };

    private string PathOf(string file) => Path.Combine(_folder.FullName, file);

    private LibvirtMachine Machine(LibvirtHost host, params (string Target, string File)[] disks)
    {
        foreach (var (_, file) in disks) if (!File.Exists(PathOf(file))) File.WriteAllText(PathOf(file), file);
        return Machine(host, string.Concat(disks.Select(disk => $"<disk type='file' device='disk'><driver type='qcow2'/><source file='{PathOf(disk.File)}'/><target dev='{disk.Target}'/></disk>")));
    }

    private LibvirtMachine Machine(LibvirtHost host, string disks)
    {
        var domain = DomainDescription.Parse($"<domain><name>m</name><uuid>{_domain}</uuid><devices>{disks}</devices></domain>");
        var machine = new VirtualMachine { SubscriptionId = "s", ResourceGroup = "lab", Name = "m", Location = "home", VmId = _domain, HostId = host.Id, Disks = [] };
        return new(machine, host, domain);
    }

    private static string TokenOf(LibvirtMachine machine) =>
        new TrackingToken(machine.Machine.VmId, Checkpoint, Guid.NewGuid(), machine.Domain.Disks.ToImmutableSortedDictionary(disk => disk.Target, disk => DiskIdentity.Of(machine.Host, disk))).ToString();

    private static string[] Trusted(LibvirtMachine before, LibvirtMachine now) => Trusted(TokenOf(before), now);

    private static string[] Trusted(string token, LibvirtMachine now)
    {
        var notes = new List<string>();
        var known = Assert.IsType<KnownChanges>(KnownChanges.Find(token, now, ["another", Checkpoint], notes));
        Assert.Empty(notes);
        return [.. now.Domain.Disks.Where(disk => known.AreOf(disk, out _)).Select(disk => disk.Target)];
    }
}
