using Strongroom.Store.Tests.Fakes;
using Strongroom.Store.Trees;

namespace Strongroom.Store.Tests.Blobs;

public sealed class MemoryBackendTests
{
    [Fact]
    public async Task It_keeps_every_rule() => await Conformance.RequireAsync(new MemoryBackend());

    [Fact]
    public async Task A_whole_vault_lives_there()
    {
        var backend = new MemoryBackend();
        await VaultStory.TellAsync(() => backend);
    }
}

public sealed class LocalBackendTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly LocalBackend backend;

    public LocalBackendTests() => backend = new(folder["vault"]);

    [Fact]
    public async Task It_keeps_every_rule()
    {
        await Conformance.RequireAsync(backend);
        Assert.Empty(Directory.GetFiles(folder["vault"], "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_whole_vault_lives_there() => await VaultStory.TellAsync(() => new LocalBackend(folder["vault"]));

    [Fact]
    public async Task Files_and_folders_with_other_names_are_somebody_elses()
    {
        await backend.PutIfAbsentAsync("packs/0a/0000000a", new byte[3], CancellationToken.None);
        Directory.CreateDirectory(folder["vault/lost+found"]);
        Directory.CreateDirectory(folder["vault/packs/.snapshot/x"]);
        foreach (var stray in (string[])["vault/packs/0a/0000000a~", "vault/packs/Thumbs.db", "vault/packs/.snapshot/x/1", "vault/tmp/half"])
            await File.WriteAllTextAsync(folder[stray], "stray");

        Assert.Equal([new("packs/0a/0000000a", 3)], await backend.AllAsync(""));
        Assert.Equal([new("packs/0a/0000000a", 3)], await backend.AllAsync("packs/"));
    }

    [Fact]
    public async Task A_list_that_cannot_be_read_does_not_pass_for_empty()
    {
        Directory.CreateDirectory(folder["vault"]);
        File.CreateSymbolicLink(folder["vault/log"], folder["vault/log"]);
        var failure = await Assert.ThrowsAsync<StoreException>(() => backend.AllAsync("log/"));
        Assert.Equal(StoreErrorKind.Io, failure.Kind);
    }

    [Fact]
    public async Task A_device_or_a_fifo_in_the_place_of_a_blob_is_no_blob()
    {
        Directory.CreateDirectory(folder["vault/log"]);
        File.CreateSymbolicLink(folder["vault/log/1"], "/dev/zero");
        using (var log = FolderHandle.Open(folder["vault/log"]))
            log.MakeNode("2"u8, TreeEntryKind.Fifo, 0, 0);

        Assert.Empty(await backend.AllAsync("log/"));
        foreach (var name in (string[])["log/1", "log/2"])
        {
            Assert.Null(await backend.GetLengthAsync(name, CancellationToken.None));
            var failure = await Assert.ThrowsAsync<StoreException>(async () => await backend.ReadAsync(name, 0, new byte[10], CancellationToken.None));
            Assert.Equal(StoreErrorKind.NotFound, failure.Kind);
        }
    }

    [Fact]
    public async Task A_blob_that_was_moved_to_another_disk_is_read_through_its_link()
    {
        await backend.PutIfAbsentAsync("packs/0a/0000000a", new byte[] { 1, 2, 3 }, CancellationToken.None);
        File.Move(folder["vault/packs/0a/0000000a"], folder["elsewhere"]);
        File.CreateSymbolicLink(folder["vault/packs/0a/0000000a"], folder["elsewhere"]);

        Assert.Equal([new("packs/0a/0000000a", 3)], await backend.AllAsync("packs/"));
        Assert.Equal(3, await backend.GetLengthAsync("packs/0a/0000000a", CancellationToken.None));
        Assert.Equal(3, await backend.ReadAsync("packs/0a/0000000a", 0, new byte[10], CancellationToken.None));
        Assert.False(await backend.PutIfAbsentAsync("packs/0a/0000000a", new byte[1], CancellationToken.None));
        Assert.True(await backend.DeleteAsync("packs/0a/0000000a", CancellationToken.None));
        Assert.Empty(await backend.AllAsync("packs/"));
        Assert.Equal([1, 2, 3], await File.ReadAllBytesAsync(folder["elsewhere"], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_blob_whose_link_leads_nowhere_does_not_pass_for_lost()
    {
        Directory.CreateDirectory(folder["vault/log"]);
        File.CreateSymbolicLink(folder["vault/log/1"], folder["not-mounted/1"]);
        File.CreateSymbolicLink(folder["vault/packs"], folder["not-mounted/packs"]);
        await MustFailAsync(async () => await backend.AllAsync("log/"));
        foreach (var name in (string[])["log/1", "packs/0a/0000000a"])
        {
            await MustFailAsync(async () => await backend.GetLengthAsync(name, CancellationToken.None));
            await MustFailAsync(async () => await backend.ReadAsync(name, 0, new byte[10], CancellationToken.None));
        }

        await MustFailAsync(async () => await backend.DeleteAsync("log/1", CancellationToken.None));

        static async Task MustFailAsync(Func<Task> action)
        {
            var failure = await Assert.ThrowsAsync<StoreException>(action);
            Assert.Equal(StoreErrorKind.Io, failure.Kind);
            Assert.Contains("leads nowhere", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_reader_is_never_shut_out_by_the_writer_that_just_committed()
    {
        await using var writer = await backend.CreateAsync("a/one", CancellationToken.None);
        await writer.AppendAsync(new byte[10], CancellationToken.None);
        var reading = Task.Run(async () =>
        {
            while (await backend.GetLengthAsync("a/one", CancellationToken.None) is null)
                await Task.Yield();
            return await backend.ReadAsync("a/one", 0, new byte[10], CancellationToken.None);
        });
        Assert.True(await writer.CommitAsync(CancellationToken.None));
        Assert.Equal(10, await reading);
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("/etc/passwd")]
    [InlineData("a/../../x")]
    [InlineData("A")]
    [InlineData("a b")]
    [InlineData("")]
    [InlineData("a//b")]
    [InlineData("a/")]
    [InlineData("a/.hidden")]
    [InlineData("tmp/x")]
    public async Task A_name_that_could_leave_the_folder_is_refused(string name) =>
        await Assert.ThrowsAsync<ArgumentException>(async () => await backend.PutIfAbsentAsync(name, new byte[1], CancellationToken.None));

    [Fact]
    public async Task Leftovers_that_may_not_be_looked_at_are_left_to_others()
    {
        Assert.SkipWhen(RandomFolder.IsRoot, "Root looks at everything.");
        await backend.PutIfAbsentAsync("one", new byte[1], CancellationToken.None);
        var mode = File.GetUnixFileMode(folder["vault/tmp"]);
        File.SetUnixFileMode(folder["vault/tmp"], UnixFileMode.None);
        try
        {
            await backend.RemoveLeftoversAsync(CancellationToken.None);
            Assert.Equal(1, await backend.GetLengthAsync("one", CancellationToken.None));
        }
        finally
        {
            File.SetUnixFileMode(folder["vault/tmp"], mode);
        }
    }

    [Fact]
    public async Task Leftovers_of_the_dead_are_removed_and_the_work_of_the_living_is_not()
    {
        await using var writer = await backend.CreateAsync("a/one", CancellationToken.None);
        await writer.AppendAsync(new byte[100], CancellationToken.None);
        var leftover = folder["vault/tmp/deadbeef"];
        await File.WriteAllBytesAsync(leftover, new byte[10]);

        // Locks may be missing, so what is young stays.
        await new LocalBackend(folder["vault"]).RemoveLeftoversAsync(CancellationToken.None);
        Assert.True(File.Exists(leftover));
        foreach (var path in Directory.GetFiles(folder["vault/tmp"]))
            File.SetLastWriteTimeUtc(path, TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-25));
        await new LocalBackend(folder["vault"]).RemoveLeftoversAsync(CancellationToken.None);
        Assert.False(File.Exists(leftover));
        Assert.True(await writer.CommitAsync(CancellationToken.None));
        Assert.Equal(100, await backend.GetLengthAsync("a/one", CancellationToken.None));
        Assert.Empty(Directory.GetFiles(folder["vault/tmp"]).Where(path => !path.EndsWith("deadbeef", StringComparison.Ordinal)).Skip(1));
    }

    [Fact]
    public async Task A_whole_vault_lives_on_disk_and_leaves_no_temporary_files()
    {
        var disk = new SparseDisk(70L << 20);
        disk.Write(5000, TestVault.Noise(1, 3 << 20));
        Snapshot snapshot;
        await using (var vault = await TestVault.CreateAsync(backend))
            snapshot = await vault.BackUpAsync(disk);
        Assert.Empty(Directory.GetFiles(folder["vault/tmp"]));
        using var other = new LocalBackend(folder["vault"]);
        await using var again = await TestVault.OpenAsync(other);
        await again.AssertRestoresAsync(again.Find(snapshot.Id)!.Images[0].Image, disk);
        Assert.True((await again.VerifyAsync(readData: true, null, CancellationToken.None)).IsHealthy);
    }

    public void Dispose()
    {
        backend.Dispose();
        folder.Dispose();
    }
}
