using Strongroom.Blocks;
using Strongroom.Workloads.VirtualMachines.Libvirt.InstantBoot;

namespace Strongroom.Workloads.Tests.VirtualMachines.Libvirt;

/// <summary>Whether a machine still needs the vault, by its images and not by their names.</summary>
public sealed class VaultNeedTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("strongroom-tests-");
    private readonly VaultNeed _need = new("/scratch/boot-0f8fad5bd9cb.");

    [Theory]
    [InlineData("nbd+unix:///disk?socket=/scratch/boot-0f8fad5bd9cb.0", true)]
    [InlineData("nbd+unix:///disk?socket=%2Fscratch%2Fboot-0f8fad5bd9cb.0", true)]
    [InlineData("""json:{"driver":"raw","file":{"driver":"nbd","server":{"type":"unix","path":"/scratch/boot-0f8fad5bd9cb.0"}}}""", true)]
    [InlineData("nbd+unix:///disk?socket=/scratch/boot-ffffffffffff.0", false)]
    [InlineData("/away/base.qcow2", true)]
    [InlineData("", false)]
    public async Task A_machine_is_free_of_the_vault_when_every_chain_is_known_to_be(string backing, bool mayBe)
    {
        await ImageAsync("any-name.img", backing.Length == 0 ? null : backing, backing.StartsWith('/'));
        await ImageAsync("any-name.snap1", PathOf("any-name.img"), isOfQcow2: true);
        Assert.Equal(mayBe, MayNeed("any-name.img"));
        Assert.Equal(mayBe, MayNeed("any-name.snap1"));
        Assert.Equal(backing == "/away/base.qcow2" ? null : mayBe, _need.IsOf(PathOf("any-name.img")));
    }

    [Fact]
    public void In_doubt_it_may_need_it()
    {
        Assert.True(MayNeed("missing.qcow2"));
        Assert.True(_need.MayBeOf("<domain><devices><disk><driver type='raw'/><source pool='at-rest' volume='web1'/></disk></devices></domain>", _ => null));
        Assert.False(_need.MayBeOf("<domain><devices><disk device='cdrom'/><disk><driver type='raw'/><source protocol='rbd' name='a'/></disk></devices></domain>", _ => null));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private bool MayNeed(string file) => _need.MayBeOf(
        $"<domain><devices><disk><driver type='qcow2'/><source file='{PathOf(file)}'/></disk></devices></domain>", source => (string?)source.Attribute("file"));

    private async Task ImageAsync(string name, string? backing, bool isOfQcow2 = false)
    {
        var path = PathOf(name);
        if (backing is not null) await DiskWriters.CreateOverlayAsync(path, 1 << 20, backing, TestContext.Current.CancellationToken);
        else await using (var image = DiskWriters.Create(path, DiskFormat.Qcow2, 1 << 20, Guid.Empty, default)) await image.FinishAsync(TestContext.Current.CancellationToken);
        if (!isOfQcow2) return;
        // The extension that has the backing file's format: type, length, and the name in 8 bytes.
        var content = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        var extension = content.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xE2, 0x79, 0x2A, 0xCA, 0, 0, 0, 3]);
        "\0\0\0\u0005qcow2"u8.CopyTo(content.AsSpan(extension + 4));
        await File.WriteAllBytesAsync(path, content, TestContext.Current.CancellationToken);
    }

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);
}
