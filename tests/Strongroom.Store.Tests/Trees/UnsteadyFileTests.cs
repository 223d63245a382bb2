using Microsoft.Win32.SafeHandles;
using Strongroom.Store.Keys;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;
using Strongroom.Store.Streams;
using Strongroom.Store.Tests.Fakes;
using Strongroom.Store.Trees;

namespace Strongroom.Store.Tests.Trees;

/// <summary>Files that do not hold still, and files that cannot be read.</summary>
public sealed class UnsteadyFileTests
{
    // Shorter than any chunk: keys are new each time, and what they cut is not for these tests.
    private const int LengthBytes = 200_000;

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    public async Task A_file_that_changes_while_it_is_read_is_read_again_twice_and_then_reported(int changes, bool isReported)
    {
        using var folder = new TemporaryFolder();
        var path = folder["file"];
        await File.WriteAllBytesAsync(path, TestVault.Noise(1, LengthBytes), CancellationToken.None);
        var left = changes;
        var chunks = new FakeChunks(() =>
        {
            if (left-- > 0)
                File.AppendAllText(path, "more");
        });
        var ring = KeyRing.Generate(Guid.NewGuid());
        using var pump = new ChunkPump(chunks, ring.IdKey, 2);
        var content = new FileContent(pump, GearTable.Derive(ring), ring.NodeKey, NoClone);
        using var file = File.OpenHandle(path, share: FileShare.ReadWrite);
        var read = await content.ReadAsync(file, null, CancellationToken.None);
        Assert.Equal(isReported, read.HasChanged);
        Assert.Equal(Math.Min(changes, 2) + 1, chunks.Stored);
        Assert.Equal(LengthBytes + (4 * Math.Min(changes, 2)), read.Stream!.Value.LengthBytes);
    }

    [Fact]
    public async Task A_clone_of_a_file_that_changes_is_read_in_its_place_and_bears_times_from_before_it_was_made()
    {
        using var folder = new TemporaryFolder();
        var path = folder["file"];
        await File.WriteAllBytesAsync(path, TestVault.Noise(1, LengthBytes), CancellationToken.None);
        var chunks = new FakeChunks(() => File.AppendAllText(path, "more"));
        var ring = KeyRing.Generate(Guid.NewGuid());
        using var pump = new ChunkPump(chunks, ring.IdKey, 2);
        var cloned = default(FileStat);
        var content = new FileContent(pump, GearTable.Derive(ring), ring.NodeKey, original =>
        {
            cloned = FileStat.Of(original);
            File.Copy(path, folder["clone"]);
            // Later than what is read, as by a writer that never rests.
            File.AppendAllText(path, "more");
            return File.OpenHandle(folder["clone"]);
        });
        using var file = File.OpenHandle(path, share: FileShare.ReadWrite);
        var read = await content.ReadAsync(file, null, CancellationToken.None);
        Assert.Equal((false, 2, LengthBytes + 4L), (read.HasChanged, chunks.Stored, read.Stream!.Value.LengthBytes));
        Assert.True(read.Stat.HasSameContentAs(cloned));
        Assert.False(read.Stat.HasSameContentAs(FileStat.Of(file)));
    }

    [Fact]
    public async Task A_file_that_becomes_shorter_or_loses_its_name_is_stored_as_it_is_then()
    {
        using var folder = new TemporaryFolder();
        var path = folder["file"];
        await File.WriteAllBytesAsync(path, TestVault.Noise(1, LengthBytes), CancellationToken.None);
        var changes = new Queue<Action>(
        [
            () =>
            {
                using var other = File.OpenHandle(path, access: FileAccess.Write, share: FileShare.ReadWrite);
                RandomAccess.SetLength(other, 100_000);
            },
            () => File.Delete(path),
        ]);
        var chunks = new FakeChunks(() =>
        {
            if (changes.TryDequeue(out var change))
                change();
        });
        var ring = KeyRing.Generate(Guid.NewGuid());
        using var pump = new ChunkPump(chunks, ring.IdKey, 2);
        using var file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
        var read = await new FileContent(pump, GearTable.Derive(ring), ring.NodeKey, NoClone).ReadAsync(file, null, CancellationToken.None);
        Assert.Equal((false, 100_000L, 3), (read.HasChanged, read.Stream!.Value.LengthBytes, chunks.Stored));
    }

    [Fact]
    public async Task What_cannot_be_read_is_reported_and_the_rest_is_stored()
    {
        Assert.SkipWhen(RandomFolder.IsRoot, "Root reads everything.");
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["source/closed"]);
        await File.WriteAllTextAsync(folder["source/secret"], "secret", CancellationToken.None);
        await File.WriteAllTextAsync(folder["source/plain"], "plain", CancellationToken.None);
        File.SetUnixFileMode(folder["source/secret"], UnixFileMode.None);
        File.SetUnixFileMode(folder["source/closed"], UnixFileMode.None);
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var result = (await vault.StoreTreeAsync(folder["source"])).Result;
        Assert.Equal(["closed", "secret"], result.Problems.Select(problem => problem.Path.ToString()));
        var restored = await vault.RestoreTreeAsync(result.Tree, folder["target"]);
        Assert.Equal(["closed", "secret"], restored.Problems.Select(problem => problem.Path.ToString()).Order(StringComparer.Ordinal));
        Assert.Equal(["closed", "plain"], Directory.EnumerateFileSystemEntries(folder["target"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        // The folder's name and rights were to be seen from outside, so they come back.
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(folder["target/closed"]));
        File.SetUnixFileMode(folder["source/closed"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.SetUnixFileMode(folder["target/closed"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_listed_is_no_empty_tree()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["source"]);
        using var source = FolderHandle.Open(folder["source"]);
        Directory.Delete(folder["source"]);

        // Deleted, it can be opened by its number still, and not be read.
        var path = $"/proc/self/fd/{source.Handle.DangerousGetHandle()}";
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var failure = await Assert.ThrowsAsync<StoreException>(() => vault.StoreTreeAsync(path));
        Assert.Equal(StoreErrorKind.Io, failure.Kind);
        Assert.StartsWith($"The folder '{path}' cannot be listed: getdents", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_whose_attributes_cannot_be_read_is_read_again_the_next_time()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["file"], "x", CancellationToken.None);
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var chunks = new FakeChunks(() => { });
        var ring = KeyRing.Generate(Guid.NewGuid());
        using var pump = new ChunkPump(chunks, ring.IdKey, 2);
        var content = new FileContent(pump, GearTable.Derive(ring), ring.NodeKey, NoClone);
        using var open = new OpenFolders(FolderHandle.Open(folder.Path));
        using var file = File.OpenHandle(folder["file"]);
        var isFailing = true;
        var files = new FileEntries(
            vault.Manifests, chunks, content, StoredTrees.Settled.Clock, _ => true, _ => isFailing ? throw LinuxCalls.Failure("listxattr", LinuxCalls.NoAccess) : []);
        var first = await files.ReadFileAsync(file, "file"u8.ToArray(), 0, null, open.Root, false, CancellationToken.None);
        Assert.Equal("file", Assert.Single(files.Problems.ToList()).Path.ToString());
        Assert.Empty(first!.Attributes);
        Assert.False(await files.IsUnchangedAsync(first, FileStat.Of(file), CancellationToken.None));
        isFailing = false;
        var second = await files.ReadFileAsync(file, "file"u8.ToArray(), 0, first, open.Root, false, CancellationToken.None);
        Assert.True(await files.IsUnchangedAsync(second!, FileStat.Of(file), CancellationToken.None));
    }

    /// <summary>What the test's own file system can do must not matter.</summary>
    private static SafeFileHandle? NoClone(SafeFileHandle file) => null;

    /// <summary>Stores nothing, and does something each time that it is asked to.</summary>
    private sealed class FakeChunks(Action onStore) : ISessionChunks
    {
        public int Stored { get; private set; }

        public SessionCounters Counters { get; } = new();

        public bool HasDoubts => false;

        public bool IsDoubtful(Slot chunk) => false;

        public ValueTask<bool> CanReuseAsync(Slot chunk, int rawLengthBytes, CancellationToken cancellationToken) => ValueTask.FromResult(true);

        public ValueTask<Slot?> FindDataAsync(ChunkId id, int rawLengthBytes, CancellationToken cancellationToken) => ValueTask.FromResult<Slot?>(null);

        public ValueTask<Slot> StoreDataAsync(ChunkId id, ReadOnlyMemory<byte> raw, ChunkWorkspace workspace, CancellationToken cancellationToken)
        {
            Stored++;
            onStore();
            return ValueTask.FromResult(new Slot(SlotKind.Whole, ChunkCodec.Raw, raw.Length, 1, 1, 0, 64, id));
        }

        public ValueTask<Slot> StoreNodeAsync(ReadOnlyMemory<byte> node, CancellationToken cancellationToken) => throw new InvalidOperationException();
    }
}
