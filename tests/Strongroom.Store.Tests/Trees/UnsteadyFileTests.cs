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
    private const int LengthBytes = 300_000;

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public async Task A_file_that_changes_while_it_is_read_is_read_again_and_then_reported(int changes, bool isReported)
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
        var content = new FileContent(pump, GearTable.Derive(ring), ring.NodeKey);
        using var file = File.OpenHandle(path, share: FileShare.ReadWrite);
        var read = await content.ReadAsync(file, null, CancellationToken.None);
        Assert.Equal(isReported, read.HasChanged);
        Assert.Equal(Math.Min(changes, 1) + 1, chunks.Stored);
        Assert.Equal(LengthBytes + (4 * Math.Min(changes, 1)), read.Stream!.Value.LengthBytes);
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
        File.SetUnixFileMode(folder["source/closed"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        File.SetUnixFileMode(folder["target/closed"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

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
