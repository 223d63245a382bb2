using CsCheck;
using Strongroom.Blocks.Raw;

namespace Strongroom.Blocks.Tests.Raw;

public sealed class RawBlockSourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private RawBlockSource Open(string name) => new(DiskFile.OpenRegular(_folder[name]));

    [Fact]
    public async Task Sparse_files_read_as_a_model_says_and_their_map_is_sound()
    {
        var writes = Gen.Select(Gen.Int[0, 900_000], Gen.Int[1, 100_000]).Array[0, 6];
        await Gen.Select(Gen.Int[0, 1_000_000], writes, Gen.Int).SampleAsync(
            async (length, parts, seed) =>
            {
                var name = Guid.NewGuid().ToString();
                var model = new byte[(length + 511) / 512 * 512];
                await using (var stream = new FileStream(_folder[name], FileMode.CreateNew))
                {
                    stream.SetLength(length);
                    foreach (var (offset, count) in parts)
                    {
                        if (offset + count > length)
                            continue;
                        var noise = Sources.Noise(count, seed);
                        noise.CopyTo(model, offset);
                        stream.Position = offset;
                        stream.Write(noise);
                    }
                }

                await using var source = Open(name);
                Assert.Equal(model.Length, source.LengthBytes);
                Assert.Equal(model, await Sources.ReadAllAsync(source));
                await Sources.RequireSoundMapAsync(source, model);
                File.Delete(_folder[name]);
            },
            iter: 60,
            threads: 1);
    }

    [Fact]
    public async Task Holes_are_found()
    {
        await using (var stream = new FileStream(_folder["disk"], FileMode.CreateNew))
        {
            stream.SetLength(64 << 20);
            stream.Position = 32 << 20;
            stream.Write(Sources.Noise(1 << 20, 1));
        }

        await using var source = Open("disk");
        var extents = await Sources.MapAsync(source);
        Assert.Equal([BlockKind.Zero, BlockKind.Data, BlockKind.Zero], extents.Select(extent => extent.Kind));
        Assert.Equal(32 << 20, extents[0].LengthBytes);
        Assert.InRange(extents[1].LengthBytes, 1 << 20, 2 << 20);
    }

    [Fact]
    public async Task An_odd_length_is_rounded_up_and_the_rest_reads_as_zeros()
    {
        await File.WriteAllBytesAsync(_folder["disk"], [.. Enumerable.Repeat((byte)7, 1000)]);
        await using var source = Open("disk");
        Assert.Equal(1024, source.LengthBytes);
        var tail = new byte[100];
        tail.AsSpan().Fill(9);
        await source.ReadAsync(924, tail, CancellationToken.None);
        Assert.Equal([.. Enumerable.Repeat((byte)7, 76), .. new byte[24]], tail);
    }

    [Fact]
    public async Task An_empty_file_is_an_empty_disk()
    {
        await File.WriteAllBytesAsync(_folder["disk"], []);
        await using var source = Open("disk");
        Assert.Equal(0, source.LengthBytes);
        Assert.Empty(await Sources.MapAsync(source));
    }

    [Fact]
    public async Task A_file_that_became_shorter_is_an_error_and_not_zeros()
    {
        await File.WriteAllBytesAsync(_folder["disk"], Sources.Noise(8192, 3));
        await using var source = Open("disk");
        using (var stream = new FileStream(_folder["disk"], FileMode.Open))
            stream.SetLength(4096);
        await Assert.ThrowsAsync<IOException>(async () => await source.ReadAsync(0, new byte[8192], CancellationToken.None));
        Assert.Equal(8192, (await Sources.MapAsync(source)).Sum(extent => extent.LengthBytes));
    }

    [Theory]
    [InlineData(-1, 10)]
    [InlineData(8190, 3)]
    [InlineData(9000, 0)]
    [InlineData(long.MaxValue, 10)]
    public async Task Reading_outside_of_the_disk_is_refused(long offset, int length)
    {
        await File.WriteAllBytesAsync(_folder["disk"], new byte[8192]);
        await using var source = Open("disk");
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await source.ReadAsync(offset, new byte[length], CancellationToken.None));
    }

    [Fact]
    public async Task Many_readers_and_maps_at_once_see_the_same()
    {
        var content = new byte[4 << 20];
        Sources.Noise(1 << 20, 5).CopyTo(content, 1 << 20);
        await using (var stream = new FileStream(_folder["disk"], FileMode.CreateNew))
        {
            stream.SetLength(content.Length);
            stream.Position = 1 << 20;
            stream.Write(content, 1 << 20, 1 << 20);
        }

        await using var source = Open("disk");
        var expected = await Sources.MapAsync(source);
        await Parallel.ForAsync(0, 40, async (index, cancellationToken) =>
        {
            var buffer = new byte[100_000];
            await source.ReadAsync(index * 100_000, buffer, cancellationToken);
            Assert.True(buffer.AsSpan().SequenceEqual(content.AsSpan(index * 100_000, 100_000)));
            Assert.Equal(expected, await Sources.MapAsync(source));
        });
    }
}
