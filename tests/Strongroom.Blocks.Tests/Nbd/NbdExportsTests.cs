using Strongroom.Blocks.Nbd;

namespace Strongroom.Blocks.Tests.Nbd;

/// <summary>Asking what there is, of real servers and of bad ones.</summary>
public sealed class NbdExportsTests : IDisposable
{
    private static readonly NbdClientOptions Options = new() { ConnectTimeout = TimeSpan.FromSeconds(20) };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private async Task<PeerServer> ServeBitmapsAsync()
    {
        Programs.RequireQemu();
        await Programs.RunAsync("qemu-img", "create", "-f", "qcow2", _folder["disk.qcow2"], "8M");
        foreach (var name in (string[])["first", "second"])
            await Programs.RunAsync("qemu-img", "bitmap", "--add", "--disable", _folder["disk.qcow2"], name);
        return await PeerServer.OnSocketAsync(
            _folder["nbd"],
            "qemu-storage-daemon",
            "--blockdev", $"file,node-name=file,filename={_folder["disk.qcow2"]}",
            "--blockdev", "qcow2,node-name=disk,file=file",
            "--nbd-server", $"addr.type=unix,addr.path={_folder["nbd"]}",
            "--export", "nbd,id=a,node-name=disk,name=vda,description=the first disk,bitmaps.0=first,bitmaps.1=second",
            "--export", "nbd,id=b,node-name=disk,name=vdb");
    }

    [Fact]
    public async Task The_storage_daemon_lists_exports_contexts_and_bitmaps()
    {
        await using var server = await ServeBitmapsAsync();
        var exports = await NbdExports.ListAsync(server.Address, Options, CancellationToken.None);
        Assert.Equal([new("vda", "the first disk"), new("vdb", "")], exports.OrderBy(export => export.Name, StringComparer.Ordinal));
        var vda = Options with { ExportName = "vda" };
        Assert.Equal(["first", "second"], await NbdExports.ListDirtyBitmapsAsync(server.Address, vda, CancellationToken.None));
        Assert.Empty(await NbdExports.ListDirtyBitmapsAsync(server.Address, Options with { ExportName = "vdb" }, CancellationToken.None));
        Assert.Equal(["base:allocation"], await NbdExports.ListMetaContextsAsync(server.Address, vda, "base:", CancellationToken.None));
        Assert.Contains("base:allocation", await NbdExports.ListMetaContextsAsync(server.Address, vda, query: null, CancellationToken.None));
        var missing = await Assert.ThrowsAsync<IOException>(() => NbdExports.ListMetaContextsAsync(server.Address, Options with { ExportName = "vdz" }, query: null, CancellationToken.None));
        Assert.Contains("no such export", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bitmap_that_the_export_does_not_have_is_an_error_of_its_own()
    {
        await using var server = await ServeBitmapsAsync();
        var options = new NbdSourceOptions { Client = Options with { ExportName = "vda" }, ChangedBitmap = "third" };
        var exception = await Assert.ThrowsAsync<DirtyBitmapUnusableException>(() => NbdBlockSource.ConnectAsync(server.Address, options, CancellationToken.None));
        Assert.Contains("third", exception.Message, StringComparison.Ordinal);
        await using var source = await NbdBlockSource.ConnectAsync(server.Address, options with { ChangedBitmap = "second" }, CancellationToken.None);
        Assert.Equal([new BlockExtent(0, 8 << 20, BlockKind.Zero)], await Sources.MapAsync(source));
    }

    [Fact]
    public async Task Nbdkit_lists_its_export()
    {
        await using var server = await PeerServer.OnSocketAsync(_folder["nbd"], "nbdkit", "-f", "-U", _folder["nbd"], "memory", "1M");
        Assert.Single(await NbdExports.ListAsync(server.Address, Options, CancellationToken.None));
        Assert.Equal(["base:allocation"], await NbdExports.ListMetaContextsAsync(server.Address, Options, query: null, CancellationToken.None));
    }

    [Fact]
    public async Task A_server_that_does_not_tell_is_an_error_and_one_without_contexts_has_none()
    {
        await using var silent = new FakeNbdServer(async server =>
        {
            await server.GreetAsync();
            await server.SendOptionReplyAsync((await server.ReadOptionAsync()).Option, 0x80000002, []);
        });
        var exception = await Assert.ThrowsAsync<IOException>(() => NbdExports.ListAsync(silent.Address, Options, CancellationToken.None));
        Assert.Contains("forbidden by policy", exception.Message, StringComparison.Ordinal);
        await using var old = new FakeNbdServer(async server =>
        {
            await server.GreetAsync();
            for (var index = 0; index < 2; index++)
                await server.SendOptionReplyAsync((await server.ReadOptionAsync()).Option, 0x80000001, []);
            await server.WaitForHangUpAsync();
        });
        Assert.Empty(await NbdExports.ListDirtyBitmapsAsync(old.Address, Options, CancellationToken.None));
    }

    /// <summary>The goodbye is a courtesy: who does not wait for it has answered all the same.</summary>
    [Fact]
    public async Task A_server_that_hangs_up_after_its_answer_has_answered()
    {
        for (var index = 0; index < 50; index++)
        {
            await using var server = new FakeNbdServer(async server =>
            {
                await server.GreetAsync();
                var (option, _) = await server.ReadOptionAsync();
                await server.SendOptionReplyAsync(option, 1, []);
                server.HangUp();
            });
            Assert.Empty(await NbdExports.ListAsync(server.Address, Options, CancellationToken.None));
        }
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 2, 65 })]
    [InlineData(new byte[] { 255, 255, 255, 255, 65 })]
    public async Task A_list_that_is_no_list_is_refused(byte[] entry)
    {
        await using var server = new FakeNbdServer(async server =>
        {
            await server.GreetAsync();
            await server.SendOptionReplyAsync((await server.ReadOptionAsync()).Option, 2, entry);
            await server.WaitForHangUpAsync();
        });
        var exception = await Assert.ThrowsAsync<IOException>(() => NbdExports.ListAsync(server.Address, Options, CancellationToken.None));
        Assert.Contains("unexpected reply", exception.Message, StringComparison.Ordinal);
    }
}
