using CsCheck;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Streams;

public sealed class StreamTests
{
    private const int Least = 256 << 10;
    private static readonly VaultStoreOptions Options = TestVault.Small with { PackSizeBytes = 8 << 20, IndexBufferRecords = 1024 };

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Least - 1)]
    [InlineData(Least)]
    [InlineData(Least + 1)]
    [InlineData(9_000_001)]
    public async Task A_stream_reads_back_byte_for_byte(int length)
    {
        var backend = new MemoryBackend();
        var content = TestVault.Noise(length, length);
        await using (var vault = await TestVault.CreateAsync(backend, Options))
            await vault.StoreAsync(content);
        await using var again = await TestVault.OpenAsync(backend, Options);
        var stream = again.Snapshots.Single().Streams.Single().Stream;
        Assert.Equal(length, stream.LengthBytes);
        await again.AssertRestoresAsync(stream, content);
        Assert.True((await again.VerifyAsync(readData: true, null, CancellationToken.None)).IsHealthy);
        Assert.True(StreamRef.TryParse(stream.ToString(), out var parsed));
        Assert.Equal(stream, parsed);
    }

    [Fact]
    public async Task Any_part_of_a_stream_can_be_read()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend(), Options);
        byte[] content = [.. TestVault.Noise(1, 3_000_000), .. new byte[5_000_000], .. TestVault.Prose(2, 4_000_000), .. new byte[100]];
        var stream = (await vault.StoreAsync(content)).Stream;
        await using var reader = vault.OpenStream(stream);
        var random = new Random(3);
        for (var i = 0; i < 60; i++)
        {
            var offset = random.Next(content.Length + 1);
            var buffer = new byte[Math.Min(random.Next(1, 2_000_000), content.Length - offset)];
            reader.Position = offset;
            await reader.ReadExactlyAsync(buffer, CancellationToken.None);
            Assert.True(content.AsSpan(offset, buffer.Length).SequenceEqual(buffer));
        }

        reader.Seek(0, SeekOrigin.End);
        Assert.Equal(0, await reader.ReadAsync(new byte[10], CancellationToken.None));
    }

    [Fact]
    public async Task A_byte_inserted_into_100_MB_stores_at_most_three_chunks_anew()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend(), Options with { PackSizeBytes = 32 << 20 });
        var content = TestVault.Noise(5, 100_000_000);
        var (first, counted) = await vault.StoreAsync(content);
        Assert.InRange(counted.BytesNew, 99_000_000, 100_000_000);
        byte[] longer = [.. content[..41_234_567], 7, .. content[41_234_567..]];
        var (second, statistics) = await vault.StoreAsync(longer, first);
        Assert.InRange(statistics.BytesNew, 1, 3 * (4 << 20));
        Assert.InRange(longer.Length - statistics.BytesDeduplicated, 1, 3 * (4 << 20));
        await vault.AssertRestoresAsync(second, longer);
    }

    [Fact]
    public async Task Edits_store_little_and_every_state_reads_back()
    {
        // An edit: where (thousandths), how many bytes go, how many come.
        var edit = Gen.Select(Gen.Int[0, 1000], Gen.Int[0, 50_000], Gen.Int[0, 50_000]);
        await Check.SampleAsync(Gen.Select(edit.Array[1, 4], Gen.Int[0, 1 << 20]), async (edits, seed) =>
        {
            await using var vault = await TestVault.CreateAsync(new MemoryBackend(), Options);
            var content = TestVault.Noise(seed, 12_000_000);
            var past = new List<(StreamRef Stream, byte[] Content)> { ((await vault.StoreAsync(content)).Stream, content) };
            foreach (var (where, gone, come) in edits)
            {
                var at = (int)(content.Length * (long)where / 1000);
                content = [.. content[..at], .. TestVault.Noise(seed++, come), .. content[Math.Min(content.Length, at + gone)..]];
                var (stream, statistics) = await vault.StoreAsync(content, past[^1].Stream);
                Assert.InRange(statistics.BytesNew, 0, 4 * (4 << 20));
                past.Add((stream, content));
            }

            foreach (var (stream, then) in past)
                await vault.AssertRestoresAsync(stream, then);
        }, iter: 8, threads: 1);
    }

    [Fact]
    public async Task An_unchanged_stream_stores_nothing_and_has_the_same_reference()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend(), Options);
        var content = TestVault.Noise(6, 10_000_000);
        var first = (await vault.StoreAsync(content)).Stream;
        var (second, statistics) = await vault.StoreAsync(content, first);
        Assert.Equal(first, second);
        Assert.Equal(0, statistics.BytesStored);
    }

    [Fact]
    public async Task Zeros_take_no_room_and_come_back()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend(), Options);
        var (stream, statistics) = await vault.StoreAsync(new byte[30_000_000]);
        Assert.Equal(0, statistics.BytesStored);
        var restored = await vault.RestoreAsync(stream);
        Assert.Equal(30_000_000, restored.Length);
        Assert.Equal(-1, restored.AsSpan().IndexOfAnyExcept((byte)0));
    }

    [Fact]
    public async Task The_length_of_reads_does_not_matter()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend(), Options);
        var content = TestVault.Noise(7, 8_000_000);
        var whole = (await vault.StoreAsync(content)).Stream;
        await using var session = await vault.OpenSessionAsync(CancellationToken.None);
        var pieces = await session.WriteStreamAsync(new ChoppyStream(content, 8), whole, null, CancellationToken.None);
        Assert.Equal(whole, pieces);
    }

    [Fact]
    public async Task A_collection_keeps_what_streams_need_and_removes_what_none_needs()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend(), Options);
        var content = TestVault.Noise(8, 6_000_000);
        var kept = (await vault.StoreAsync(content)).Stream;
        await vault.StoreAsync(TestVault.Noise(9, 20_000_000));
        var gone = vault.Snapshots.Single(snapshot => snapshot.Streams[0].Stream != kept);
        await vault.DeleteSnapshotAsync(gone.Id, CancellationToken.None);
        var report = await vault.CollectAsync([.. vault.Snapshots.Select(snapshot => snapshot.Id)], TestVault.Compact, CancellationToken.None);
        Assert.True(report.BytesDeleted > 19_000_000);
        await vault.AssertRestoresAsync(kept, content);
        var failure = Assert.Throws<StoreException>(() => vault.OpenStream(gone.Streams[0].Stream));
        Assert.Equal(StoreErrorKind.NotFound, failure.Kind);
    }

    [Fact]
    public async Task An_error_of_the_source_comes_out_as_it_is_and_ends_the_session()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend(), Options);
        await using var session = await vault.OpenSessionAsync(CancellationToken.None);
        await Assert.ThrowsAsync<EndOfStreamException>(
            () => session.WriteStreamAsync(new ChoppyStream(TestVault.Noise(1, 5_000_000), 1) { FailsAtEnd = true }, null, null, CancellationToken.None));
        var refused = await Assert.ThrowsAsync<StoreException>(() => session.CommitAsync(TestVault.Draft(), CancellationToken.None));
        Assert.Equal(StoreErrorKind.InvalidRequest, refused.Kind);
    }

    [Fact]
    public async Task A_stream_of_another_session_cannot_be_committed()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend(), Options);
        await using var other = await vault.OpenSessionAsync(CancellationToken.None);
        var stream = await other.WriteStreamAsync(new MemoryStream(TestVault.Noise(1, 1000)), null, null, CancellationToken.None);
        await using var session = await vault.OpenSessionAsync(CancellationToken.None);
        var draft = TestVault.Draft() with { Streams = [new("dump", stream)] };
        var refused = await Assert.ThrowsAsync<StoreException>(() => session.CommitAsync(draft, CancellationToken.None));
        Assert.Equal(StoreErrorKind.InvalidRequest, refused.Kind);
    }

    /// <summary>Gives odd numbers of bytes at a time.</summary>
    private sealed class ChoppyStream(byte[] content, int seed) : MemoryStream(content)
    {
        private readonly Random random = new(seed);

        public bool FailsAtEnd { get; init; }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (FailsAtEnd && Position == Length)
                throw new EndOfStreamException();
            return base.ReadAsync(buffer[..Math.Min(buffer.Length, random.Next(1, 100_000))], cancellationToken);
        }
    }
}
