using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt;
using Strongroom.Workloads.VirtualMachines.Libvirt.Live;

namespace Strongroom.Workloads.Tests.VirtualMachines.Libvirt;

/// <summary>Whoever writes host resources reaches what the operator has named, and nothing else.</summary>
public sealed class LibvirtHostValidatorTests
{
    private const string Remote = "qemu+ssh://backup@vm1.example/system";

    private static readonly AllowedLibvirtHosts s_allowed = new(["qemu:///system", Remote + "?keyfile=/etc/strongroom/key"], ["/srv/scratch", "/mnt/fast/"]);
    private static readonly LibvirtHostValidator s_validator = new(s_allowed, new Logins());

    [Fact]
    public void A_host_has_what_was_sent_and_what_is_usual()
    {
        var plain = Accept("""{"uri":"qemu:///system","password":"x"}""");
        Assert.Equal("""{"uri":"qemu:///system","scratchPath":"/srv/scratch","diskPool":"default","startRestoredMachines":false}""", plain.ToJsonString());
        var full = Accept($$"""{"URI":"{{Remote}}","scratchPath":"/mnt/fast/a/","diskPool":"vms","network":"lab","credentials":"vm1","startRestoredMachines":true}""");
        Assert.Equal((Remote, "/mnt/fast/a", "vms", "lab", "vm1", true),
            ((string?)full["uri"], (string?)full["scratchPath"], (string?)full["diskPool"], (string?)full["network"], (string?)full["credentials"], (bool)full["startRestoredMachines"]!));
    }

    [Theory]
    [InlineData("qemu:///session")]
    [InlineData("qemu:///system?socket=/tmp/mine")]
    [InlineData("qemu:///system#")]
    [InlineData("qemu:///system/../session")]
    [InlineData("QEMU:///system")]
    [InlineData("qemu+ext:///system?command=/tmp/x")]
    [InlineData(Remote + "?keyfile=/etc/strongroom/key")]
    [InlineData("qemu+ssh://root@vm1.example/system")]
    [InlineData("qemu+tls://vm1.example/system")]
    public void Other_hosts_and_other_ways_to_a_host_are_refused_and_those_that_are_allowed_are_not_told(string uri)
    {
        var refused = Assert.Throws<HostRefusedException>(() => s_validator.Accept(new() { ["uri"] = uri }));
        Assert.Equal(("uri", "HostUriNotAllowed"), (refused.Property, refused.Code));
        Assert.DoesNotContain("vm1", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("")]
    [InlineData("/etc")]
    [InlineData("srv/scratch")]
    [InlineData("/srv/scratch2")]
    [InlineData("/srv/scratch/../../etc")]
    [InlineData("/srv/scratch//a")]
    [InlineData("/srv/scratch/./a")]
    [InlineData("/srv/scratch/a b")]
    [InlineData("/srv/scratch/a\n")]
    [InlineData("/srv/scratch/a'><disk/>")]
    [InlineData("/srv/scratch/a-name-that-is-so-long-that-a-sockets-path-would-be-longer-than-the-kernel-takes")]
    public void Scratch_space_is_nowhere_but_where_the_operator_says(string path)
    {
        var refused = Assert.Throws<HostRefusedException>(() => s_validator.Accept(new() { ["uri"] = "qemu:///system", ["scratchPath"] = path }));
        Assert.Equal(("scratchPath", "HostPathNotAllowed"), (refused.Property, refused.Code));
    }

    [Theory]
    [InlineData("diskPool", "../default")]
    [InlineData("diskPool", "")]
    [InlineData("network", "a'/><x")]
    [InlineData("network", "a\n")]
    [InlineData("credentials", "../master.key")]
    [InlineData("credentials", ".hidden")]
    public void Names_are_plain(string property, string name)
    {
        var refused = Assert.Throws<HostRefusedException>(() => s_validator.Accept(new() { ["uri"] = "qemu:///system", [property] = name }));
        Assert.Equal((property, "InvalidRequestContent"), (refused.Property, refused.Code));
    }

    [Fact]
    public void The_longest_scratch_path_leaves_room_for_a_socket()
    {
        const string Root = AllowedLibvirtHosts.StandardScratchRoot;
        var longest = Root + "/" + new string('a', AllowedLibvirtHosts.LongestScratchPath - Root.Length - 1);
        var allowed = new AllowedLibvirtHosts([], []);
        Assert.True(allowed.AllowsScratch(longest));
        Assert.False(allowed.AllowsScratch(longest + "a"));
        // Each try of a job has the next fence.
        var socket = new TraceNames(Guid.NewGuid()).Socket(new(Guid.NewGuid(), 9_999_999));
        Assert.Equal(107, Path.Combine(longest, socket).Length);
    }

    [Theory]
    [InlineData("other")]
    [InlineData("vm1")]
    public void A_login_is_for_one_host(string name)
    {
        var refused = Assert.Throws<HostRefusedException>(() => s_validator.Accept(new() { ["uri"] = "qemu:///system", ["credentials"] = name }));
        Assert.Equal("HostCredentialsNotFound", refused.Code);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"uri":5}""")]
    [InlineData("""{"uri":"qemu:///system","startRestoredMachines":"yes"}""")]
    [InlineData("""{"uri":"qemu:///system","diskPool":{}}""")]
    public void Wrong_types_are_refused(string sent) => Assert.Equal(400, Assert.Throws<ArmException>(() => Accept(sent)).Status);

    [Fact]
    public void What_is_opened_is_the_operators_whole_uri()
    {
        Assert.Equal(Remote + "?keyfile=/etc/strongroom/key", s_allowed.FindUri(Remote));
        Assert.Null(s_allowed.FindUri(Remote + "?keyfile=/etc/strongroom/key"));
        var none = new AllowedLibvirtHosts([], []);
        Assert.Null(none.FindUri("qemu:///system"));
        Assert.True(none.AllowsScratch(AllowedLibvirtHosts.StandardScratchRoot + "/a"));
    }

    [Theory]
    [InlineData("qemu:///system", "qemu:///system?socket=/run/other")]
    [InlineData("xen:///system")]
    [InlineData("qemu:system")]
    [InlineData("qemu:///system x")]
    [InlineData("")]
    public void An_option_that_is_no_host_is_refused(params string[] uris) => Assert.Throws<ArgumentException>(() => new AllowedLibvirtHosts(uris, []));

    [Theory]
    [InlineData("/")]
    [InlineData("scratch")]
    [InlineData("/srv/../etc")]
    public void An_option_that_is_no_scratch_folder_is_refused(string root) => Assert.Throws<ArgumentException>(() => new AllowedLibvirtHosts([], [root]));

    private static JsonObject Accept(string sent) => s_validator.Accept((JsonObject)JsonNode.Parse(sent)!);

    private sealed class Logins : ILibvirtCredentials
    {
        public bool IsFor(string name, string uri) => name == "vm1" && uri == Remote;
    }
}
