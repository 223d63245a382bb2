using Strongroom.Store.Blobs;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Blobs;

public sealed class LocalFailureTests
{
    [Fact]
    public void The_kernels_no_space_is_a_full_vault()
    {
        // /dev/full answers every write with ENOSPC, as a full disk does.
        using var full = File.OpenHandle("/dev/full", FileMode.Open, FileAccess.Write);
        var failure = Assert.ThrowsAny<IOException>(() => RandomAccess.Write(full, new byte[10], 0));
        Assert.Equal(StoreErrorKind.Full, LocalFailures.Translate(failure, "packs/00/00000001").Kind);
    }

    [Fact]
    public async Task A_deleted_blob_that_was_read_gives_its_room_back_at_once()
    {
        using var folder = new TemporaryFolder();
        using var backend = new LocalBackend(folder.Path);
        await backend.PutIfAbsentAsync("packs/00/00000001", new byte[100], CancellationToken.None);
        await backend.ReadAsync("packs/00/00000001", 0, new byte[100], CancellationToken.None);

        await backend.DeleteAsync("packs/00/00000001", CancellationToken.None);

        // The kernel frees a file's blocks when nobody has it open any more.
        Assert.DoesNotContain(
            Directory.EnumerateFiles("/proc/self/fd").Select(link => new FileInfo(link).LinkTarget ?? ""),
            target => target.StartsWith(folder.Path, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_blob_that_another_process_put_back_is_read_as_it_is_now()
    {
        const string Name = "packs/00/00000001";
        using var folder = new TemporaryFolder();
        using var reader = new LocalBackend(folder.Path);
        using var healer = new LocalBackend(folder.Path);
        await reader.PutIfAbsentAsync(Name, "rotten"u8.ToArray(), CancellationToken.None);
        Assert.Equal("rotten"u8.ToArray(), await reader.ContentAsync(Name));

        await healer.ReplaceAsync(Name, "healed"u8.ToArray());
        Assert.Equal("healed"u8.ToArray(), await reader.ContentAsync(Name));

        await healer.DeleteAsync(Name, CancellationToken.None);
        var failure = await Assert.ThrowsAsync<StoreException>(async () => await reader.ReadAsync(Name, 0, new byte[6], CancellationToken.None));
        Assert.Equal(StoreErrorKind.NotFound, failure.Kind);
    }

    [Fact]
    public async Task A_spool_that_cannot_be_read_is_a_failure_of_the_store()
    {
        // Nothing is mapped at address 0: the kernel answers EIO, as a bad disk does.
        using var spool = new BlobSpool(File.OpenHandle("/proc/self/mem"));
        var failure = await Assert.ThrowsAsync<StoreException>(async () => await spool.ReadAsync(0, new byte[10], CancellationToken.None));
        Assert.Equal(StoreErrorKind.Io, failure.Kind);
    }

    [Fact]
    public async Task What_cannot_be_looked_at_does_not_pass_for_absent()
    {
        using var folder = new TemporaryFolder();
        using var backend = new LocalBackend(folder.Path);
        Assert.Null(await backend.GetLengthAsync("log/00000000000000000001", CancellationToken.None));

        // A link in a vault is not followed, wherever it leads.
        File.CreateSymbolicLink(folder["log"], folder["log"]);
        var failure = await Assert.ThrowsAsync<StoreException>(async () => await backend.GetLengthAsync("log/00000000000000000001", CancellationToken.None));
        Assert.Equal(StoreErrorKind.Corrupt, failure.Kind);
    }

    [Theory]
    [InlineData(13)]
    [InlineData(30)]
    public void What_this_process_may_not_do_is_no_failure_that_passes(int error)
    {
        foreach (var failure in (Exception[])[new IOException("Refused.", error), new UnauthorizedAccessException("Refused.")])
        {
            var told = LocalFailures.Translate(failure, "log/1");
            Assert.Equal(StoreErrorKind.AccessDenied, told.Kind);
            Assert.False(told.IsTransient);
            Assert.Contains("'log/1': Refused. ", told.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_is_not_there_is_not_found_and_the_rest_is_an_io_failure()
    {
        Assert.Equal(StoreErrorKind.NotFound, LocalFailures.Translate(new FileNotFoundException(), "a").Kind);
        Assert.Equal(StoreErrorKind.NotFound, LocalFailures.Translate(new DirectoryNotFoundException(), "a").Kind);
        var failure = LocalFailures.Translate(new IOException("Input/output error", 5), "a");
        Assert.Equal(StoreErrorKind.Io, failure.Kind);
        Assert.True(failure.IsTransient);
    }
}
