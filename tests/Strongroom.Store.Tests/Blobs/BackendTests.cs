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

    [Theory]
    [InlineData("fifo")]
    [InlineData("device")]
    [InlineData("link")]
    public async Task What_has_the_name_of_a_blob_and_is_no_plain_file_is_said_to_be_that_and_makes_room_for_one(string kind)
    {
        Directory.CreateDirectory(folder["vault/log"]);
        await File.WriteAllTextAsync(folder["secret"], "secret", CancellationToken.None);
        Put(kind, folder["vault/log/1"]);
        Assert.Equal(["log/1"], (await backend.AllAsync("log/")).Select(blob => blob.Name));
        foreach (var call in (Func<Task>[])[() => backend.GetLengthAsync("log/1", CancellationToken.None).AsTask(), () => backend.ReadAsync("log/1", 0, new byte[10], CancellationToken.None).AsTask()])
        {
            var failure = await Assert.ThrowsAsync<StoreException>(call);
            Assert.Equal(StoreErrorKind.Corrupt, failure.Kind);
            Assert.Matches("'log/1' is a (FIFO|device|symbolic link),", failure.Message);
        }

        Assert.False(await backend.PutIfAbsentAsync("log/1", new byte[3], CancellationToken.None));
        Assert.True(await backend.DeleteAsync("log/1", CancellationToken.None));
        Assert.True(await backend.PutIfAbsentAsync("log/1", new byte[3], CancellationToken.None));
        Assert.Equal([new("log/1", 3)], await backend.AllAsync(""));
        Assert.Equal("secret", await File.ReadAllTextAsync(folder["secret"], CancellationToken.None));
    }

    [Fact]
    public async Task A_folder_that_has_the_name_of_a_blob_is_none_and_goes_out_of_its_way_with_all_that_is_in_it()
    {
        Directory.CreateDirectory(folder["vault/log/1"]);
        await File.WriteAllTextAsync(folder["vault/log/1/letter"], "somebody's", CancellationToken.None);
        Assert.Null(await backend.GetLengthAsync("log/1", CancellationToken.None));
        var failure = await Assert.ThrowsAsync<StoreException>(async () => await backend.ReadAsync("log/1", 0, new byte[10], CancellationToken.None));
        Assert.True(failure.IsBlobMissing);
        Assert.False(await backend.DeleteAsync("log/1", CancellationToken.None));
        Assert.True(await backend.PutIfAbsentAsync("log/1", new byte[3], CancellationToken.None));
        Assert.False(await backend.PutIfAbsentAsync("log/1", new byte[3], CancellationToken.None));
        Assert.Equal([new("log/1", 3)], await backend.AllAsync(""));
        Assert.Single(Directory.GetFiles(folder["vault/tmp"], "letter", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_folder_in_a_vault_that_is_a_link_is_neither_read_nor_written_through()
    {
        Directory.CreateDirectory(folder["elsewhere/0a"]);
        Directory.CreateDirectory(folder["vault/packs"]);
        await File.WriteAllTextAsync(folder["elsewhere/0a/0000000a"], "secret", CancellationToken.None);
        File.CreateSymbolicLink(folder["vault/log"], folder["elsewhere"]);
        File.CreateSymbolicLink(folder["vault/packs/0a"], folder["elsewhere/0a"]);
        foreach (var call in (Func<Task>[])[
            () => backend.AllAsync("log/"),
            () => backend.GetLengthAsync("packs/0a/0000000a", CancellationToken.None).AsTask(),
            () => backend.ReadAsync("packs/0a/0000000a", 0, new byte[10], CancellationToken.None).AsTask(),
            () => backend.DeleteAsync("packs/0a/0000000a", CancellationToken.None).AsTask(),
            () => backend.PutIfAbsentAsync("packs/0a/0000000b", new byte[10], CancellationToken.None).AsTask(),
            () => backend.PutIfAbsentAsync("log/1", new byte[10], CancellationToken.None).AsTask()])
        {
            var failure = await Assert.ThrowsAsync<StoreException>(call);
            Assert.Equal(StoreErrorKind.Corrupt, failure.Kind);
            Assert.Contains("is a symbolic link", failure.Message, StringComparison.Ordinal);
        }

        Assert.Single(Directory.GetFileSystemEntries(folder["elsewhere"], "*", SearchOption.AllDirectories), path => File.Exists(path));
    }

    [Fact]
    public async Task Opening_a_vault_removes_nothing_from_a_folder_that_its_tmp_links_to()
    {
        Directory.CreateDirectory(folder["home"]);
        Directory.CreateDirectory(folder["vault"]);
        await File.WriteAllTextAsync(folder["home/letter"], "old", CancellationToken.None);
        File.SetLastWriteTimeUtc(folder["home/letter"], DateTime.UtcNow.AddYears(-1));
        File.CreateSymbolicLink(folder["vault/tmp"], folder["home"]);
        await backend.RemoveLeftoversAsync(CancellationToken.None);
        Assert.True(File.Exists(folder["home/letter"]));
        await Assert.ThrowsAsync<StoreException>(async () => await backend.PutIfAbsentAsync("log/1", new byte[1], CancellationToken.None));
    }

    [Fact]
    public async Task The_folder_of_a_vault_may_be_reached_through_a_link()
    {
        Directory.CreateDirectory(folder["vault"]);
        File.CreateSymbolicLink(folder["link"], folder["vault"]);
        using var linked = new LocalBackend(folder["link"]);
        Assert.True(await linked.PutIfAbsentAsync("packs/0a/0000000a", new byte[] { 1, 2, 3 }, CancellationToken.None));
        Assert.Equal(3, await linked.ReadAsync("packs/0a/0000000a", 0, new byte[10], CancellationToken.None));
        Assert.Equal([new("packs/0a/0000000a", 3)], await linked.AllAsync("packs/"));
    }

    private static void MakeNode(string path, TreeEntryKind kind)
    {
        using var parent = FolderHandle.Open(Path.GetDirectoryName(path)!);
        parent.MakeNode(System.Text.Encoding.ASCII.GetBytes(Path.GetFileName(path)), kind, 1, 3);
    }

    private void Put(string kind, string path)
    {
        if (kind == "link")
            File.CreateSymbolicLink(path, folder["secret"]);
        else if (kind == "device")
            MakeNode(path, TreeEntryKind.CharacterDevice);
        else
            MakeNode(path, TreeEntryKind.Fifo);
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
