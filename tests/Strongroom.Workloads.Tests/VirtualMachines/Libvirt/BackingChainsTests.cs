using Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

namespace Strongroom.Workloads.Tests.VirtualMachines.Libvirt;

/// <summary>What images are made over, by the names that they give.</summary>
public sealed class BackingChainsTests
{
    [Theory]
    [InlineData("/disks/golden.qcow2", "/disks/golden.qcow2")]
    [InlineData("golden.qcow2", "/clones/golden.qcow2")]
    [InlineData("../disks/golden:1.qcow2", "/disks/golden:1.qcow2")]
    [InlineData("file:/disks/golden.qcow2", "/disks/golden.qcow2")]
    [InlineData("nbd+unix:///disk?socket=/scratch/boot-0f8fad5bd9cb.0", "")]
    [InlineData("rbd:pool/golden", "")]
    [InlineData("""json:{"driver":"qcow2","file":{"driver":"file","filename":"/disks/golden.qcow2"}}""", "/disks/golden.qcow2")]
    [InlineData("""json:{"file.driver":"file","file.filename":"golden.qcow2","driver":"qcow2"}""", "/clones/golden.qcow2")]
    [InlineData("""json:{"driver":"raw","file":{"driver":"nbd","server":{"type":"unix","path":"/scratch/boot-0f8fad5bd9cb.0"}}}""", "")]
    public void A_name_is_read_as_QEMU_reads_it(string name, string path) =>
        Assert.Equal(path.Length == 0 ? [] : [path], BackingNames.PathsIn(name, "/clones/web1.qcow2")!);

    [Theory]
    [InlineData("golden:1.qcow2")]
    [InlineData("fat:/disks")]
    [InlineData("json:{")]
    [InlineData("""json:{"driver":"quorum","children":[{"driver":"file","filename":"/disks/golden.qcow2"}]}""")]
    [InlineData("""json:{"driver":"raw","file":{"driver":"file","filename":7}}""")]
    public void A_name_that_is_not_understood_leads_anywhere(string name) => Assert.Null(BackingNames.PathsIn(name, "/clones/web1.qcow2"));

    [Fact]
    public void A_chain_is_followed_to_its_base_and_tells_where_it_is_lost()
    {
        var images = new Dictionary<string, BackingReference?>
        {
            ["/clones/top.qcow2"] = new("middle.qcow2", null),
            ["/clones/middle.qcow2"] = new("/disks/base.img", "raw"),
            ["/clones/lost.qcow2"] = new("/disks/away.qcow2", "qcow2"),
            ["/clones/circle.qcow2"] = new("circle.qcow2", "qcow2"),
        };
        var chains = new BackingChains(path => images.GetValueOrDefault(path));

        var whole = chains.Follow("/clones/top.qcow2", "qcow2");
        Assert.Equal(["/clones/top.qcow2", "/clones/middle.qcow2", "/disks/base.img"], whole.Paths);
        Assert.Equal(["middle.qcow2", "/disks/base.img"], whole.Names);
        Assert.Null(whole.Unread);
        var lost = chains.Follow("/clones/lost.qcow2", "qcow2");
        Assert.Equal(["/clones/lost.qcow2", "/disks/away.qcow2"], lost.Paths);
        Assert.Equal("/disks/away.qcow2", lost.Unread);
        Assert.Null(chains.Follow("/clones/circle.qcow2", null).Unread);
        Assert.Null(chains.Follow("/clones/any.iso", "raw").Unread);
    }
}
