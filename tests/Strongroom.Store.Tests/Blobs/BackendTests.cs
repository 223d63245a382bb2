using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Blobs;

/// <summary>What every backend must do.</summary>
public abstract class BackendTests : IDisposable
{
    private static CancellationToken None => CancellationToken.None;

    private protected abstract IBlobBackend Backend { get; }

    [Fact]
    public async Task A_blob_reads_back_whole_and_in_ranges()
    {
        Assert.True(await Backend.PutIfAbsentAsync("a/b/one", "0123456789"u8.ToArray(), None));
        var buffer = new byte[4];
        Assert.Equal(4, await Backend.ReadAsync("a/b/one", 3, buffer, None));
        Assert.Equal("3456"u8, buffer);
        Assert.Equal(2, await Backend.ReadAsync("a/b/one", 8, buffer, None));
        Assert.Equal(0, await Backend.ReadAsync("a/b/one", 10, buffer, None));
        Assert.Equal(10, await Backend.GetLengthAsync("a/b/one", None));
    }

    [Fact]
    public async Task A_taken_name_keeps_its_bytes()
    {
        Assert.True(await Backend.PutIfAbsentAsync("a/one", "first"u8.ToArray(), None));
        Assert.False(await Backend.PutIfAbsentAsync("a/one", "second"u8.ToArray(), None));
        await using var writer = await Backend.CreateAsync("a/one", None);
        await writer.AppendAsync("third"u8.ToArray(), None);
        Assert.False(await writer.CommitAsync(None));
        var buffer = new byte[5];
        await Backend.ReadAsync("a/one", 0, buffer, None);
        Assert.Equal("first"u8, buffer);
    }

    [Fact]
    public async Task Of_writers_that_race_for_a_name_exactly_one_wins()
    {
        for (var round = 0; round < 20; round++)
        {
            var name = $"race/{round}";
            var wins = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(async () => await Backend.PutIfAbsentAsync(name, new[] { (byte)i }, None))));
            var buffer = new byte[1];
            await Backend.ReadAsync(name, 0, buffer, None);
            Assert.Equal([(int)buffer[0]], wins.Index().Where(win => win.Item).Select(win => win.Index));
        }
    }

    [Fact]
    public async Task A_blob_in_the_making_is_invisible_until_its_commit_and_reads_back()
    {
        await using (var abandoned = await Backend.CreateAsync("a/gone", None))
            await abandoned.AppendAsync("x"u8.ToArray(), None);
        await using var writer = await Backend.CreateAsync("a/one", None);
        await writer.AppendAsync("hello "u8.ToArray(), None);
        await writer.AppendAsync("world"u8.ToArray(), None);
        Assert.Equal(11, writer.LengthBytes);
        Assert.Null(await Backend.GetLengthAsync("a/one", None));
        await writer.FlushAsync(None);
        var buffer = new byte[20];
        Assert.Equal(7, await writer.ReadBackAsync(4, buffer, None));
        Assert.Equal("o world"u8, buffer.AsSpan(0, 7));
        Assert.True(await writer.CommitAsync(None));
        Assert.Equal(11, await Backend.GetLengthAsync("a/one", None));
        Assert.Null(await Backend.GetLengthAsync("a/gone", None));
    }

    [Fact]
    public async Task A_list_is_ordered_and_keeps_to_its_prefix()
    {
        foreach (var name in (string[])["b/2", "a/x/2", "a/x/10", "a/1", "ab/1"])
            await Backend.PutIfAbsentAsync(name, new byte[3], None);
        var found = new List<BlobInfo>();
        await foreach (var blob in Backend.ListAsync("a/", None))
            found.Add(blob);
        Assert.Equal([new("a/1", 3), new("a/x/10", 3), new("a/x/2", 3)], found);
        await foreach (var blob in Backend.ListAsync("absent/", None))
            Assert.Fail(blob.Name);
    }

    [Fact]
    public async Task A_deleted_blob_is_gone_and_its_name_is_free()
    {
        await Backend.PutIfAbsentAsync("a/one", "old"u8.ToArray(), None);
        await Backend.ReadAsync("a/one", 0, new byte[3], None);
        Assert.True(await Backend.DeleteAsync("a/one", None));
        Assert.False(await Backend.DeleteAsync("a/one", None));
        var failure = await Assert.ThrowsAsync<StoreException>(async () => await Backend.ReadAsync("a/one", 0, new byte[3], None));
        Assert.Equal(StoreErrorKind.NotFound, failure.Kind);
        Assert.True(await Backend.PutIfAbsentAsync("a/one", "new"u8.ToArray(), None));
        var buffer = new byte[3];
        await Backend.ReadAsync("a/one", 0, buffer, None);
        Assert.Equal("new"u8, buffer);
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool isDisposing)
    {
    }
}

public sealed class MemoryBackendTests : BackendTests
{
    private protected override IBlobBackend Backend { get; } = new MemoryBackend();
}

public sealed class LocalBackendTests : BackendTests
{
    private readonly TemporaryFolder folder = new();
    private readonly LocalBackend backend;

    public LocalBackendTests() => backend = new(folder["vault"]);

    private protected override IBlobBackend Backend => backend;

    [Theory]
    [InlineData("../x")]
    [InlineData("/etc/passwd")]
    [InlineData("a/../../x")]
    [InlineData("A")]
    [InlineData("a b")]
    [InlineData("")]
    public async Task A_name_that_could_leave_the_folder_is_refused(string name) =>
        await Assert.ThrowsAsync<ArgumentException>(async () => await backend.PutIfAbsentAsync(name, new byte[1], CancellationToken.None));

    [Fact]
    public async Task Leftovers_of_the_dead_are_removed_and_the_work_of_the_living_is_not()
    {
        await using var writer = await backend.CreateAsync("a/one", CancellationToken.None);
        await writer.AppendAsync(new byte[100], CancellationToken.None);
        var leftover = folder["vault/tmp/deadbeef"];
        await File.WriteAllBytesAsync(leftover, new byte[10]);
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

    protected override void Dispose(bool isDisposing)
    {
        backend.Dispose();
        folder.Dispose();
        base.Dispose(isDisposing);
    }
}
