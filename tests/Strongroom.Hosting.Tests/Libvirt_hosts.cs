using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Strongroom.Arm;
using Strongroom.Server;
using Strongroom.Testing;
using Strongroom.Workloads.VirtualMachines.Libvirt;

namespace Strongroom.Hosting.Tests;

public sealed class Libvirt_hosts : IDisposable
{
    private const string Uri = "qemu+tls://vm1.example/system";
    private const string Login = $$"""{"uri":"{{Uri}}","userName":"backup","password":"hunter2"}""";
    private readonly TemporaryFolder folder = new();

    private HostCredentials Credentials => new(folder.Root, NullLogger<HostCredentials>.Instance);

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_login_is_for_the_host_of_its_uri()
    {
        Write("vm1", Login);

        var login = Credentials.Find("vm1");

        Assert.Equal(("backup", "hunter2"), (login!.UserName, login.Password));
        Assert.DoesNotContain("hunter2", login.ToString(), StringComparison.Ordinal);
        Assert.True(Credentials.IsFor("vm1", Uri));
        Assert.False(Credentials.IsFor("vm1", "qemu+tls://vm2.example/system"));
        Assert.Null(Credentials.Find("other"));
    }

    [Theory]
    [InlineData("../secret")]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a/b")]
    public void A_name_reaches_no_other_file(string name)
    {
        Write("secret", Login);
        Directory.CreateDirectory(folder["below"]);

        Assert.Null(new HostCredentials(folder["below"], NullLogger<HostCredentials>.Instance).Find(name));
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.GroupWrite)]
    public void A_login_that_others_may_read_is_not_used(UnixFileMode more)
    {
        Write("vm1", Login, AtomicFile.Private | more);

        Assert.Null(Credentials.Find("vm1"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("backup\nhunter2\n")]
    [InlineData("[]")]
    [InlineData("""{"userName":"backup","password":"hunter2"}""")]
    [InlineData("""{"uri":"qemu+tls://vm1.example/system","userName":"backup","password":5}""")]
    [InlineData("""{"uri":"qemu+tls://vm1.example/system?a=b","userName":"backup","password":"x"}""")]
    public void A_file_that_is_no_login_is_not_used(string text)
    {
        Write("vm1", text);

        Assert.Null(Credentials.Find("vm1"));
    }

    [Fact]
    public async Task A_host_has_the_operators_uri_and_is_there_for_as_long_as_it_is_allowed()
    {
        Write("vm1", Login);
        var store = new InMemoryResourceStore();
        await AddAsync(store, "a", new() { ["kind"] = "Libvirt", ["uri"] = Uri, ["scratchPath"] = "/srv/scratch", ["diskPool"] = "vms", ["credentials"] = "vm1", ["network"] = "lab", ["startRestoredMachines"] = true });
        await AddAsync(store, "b", new() { ["kind"] = "Folder", ["path"] = "/srv/machines" });

        var host = Assert.Single(await ListAsync(store, [Uri + "?pkipath=/etc/pki/x"], ["/srv/scratch"]));

        Assert.Equal((Uri + "?pkipath=/etc/pki/x", "vms", "/srv/scratch", "vm1", "lab", true), (host.Uri, host.DiskPool, host.ScratchPath, host.Credentials, host.Network, host.StartsRestoredMachines));
        Assert.Empty(await ListAsync(store, ["qemu:///system"], ["/srv/scratch"]));
        Assert.Empty(await ListAsync(store, [Uri], ["/srv/other"]));
        File.Delete(folder["vm1"]);
        Assert.Empty(await ListAsync(store, [Uri], ["/srv/scratch"]));
    }

    private static async Task AddAsync(InMemoryResourceStore store, string name, JsonObject properties)
    {
        var id = ResourceId.ForResource("s", "lab", "Strongroom.Fabric", "hosts", name);
        await store.PutAsync(new() { Id = id, Location = "home", Properties = properties, ETag = "1", CreatedAt = default, ChangedAt = default }, null, TestContext.Current.CancellationToken);
    }

    private Task<IReadOnlyList<LibvirtHost>> ListAsync(InMemoryResourceStore store, string[] uris, string[] scratch) =>
        new LibvirtHostsInResources(store, new(uris, scratch), Credentials).ListAsync("s", TestContext.Current.CancellationToken);

    private void Write(string name, string text, UnixFileMode mode = AtomicFile.Private)
    {
        File.WriteAllText(folder[name], text);
        File.SetUnixFileMode(folder[name], mode);
    }
}
