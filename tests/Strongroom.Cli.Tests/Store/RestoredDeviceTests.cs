using Strongroom.Blocks;
using Strongroom.Cli.Store;

namespace Strongroom.Cli.Tests.Store;

/// <summary>What is written over a device, in which order, on one that is made of memory.</summary>
public sealed class RestoredDeviceTests
{
    private const int Grain = RestoredDevice.GrainLengthBytes;

    [Theory]
    [InlineData((5 * Grain) + 512)]
    [InlineData(6 * Grain)]
    [InlineData(512)]
    [InlineData(0)]
    public async Task What_was_not_written_is_zeros_and_what_lies_behind_the_disk_stays(int length)
    {
        var device = new MemoryDevice(8 * Grain);
        var content = new byte[length];
        new Random(1).NextBytes(content);
        content.AsSpan(Math.Min(length, Grain), Math.Clamp(length - Grain, 0, 2 * Grain)).Clear();
        using (var target = new RestoredDevice(device, "memory", length))
        {
            // In whatever order, as a restore does; the hole is not written.
            for (var start = length / Grain * Grain; start >= 0; start -= Grain)
            {
                var piece = content.AsMemory(start, Math.Min(Grain, length - start));
                if (piece.Span.IndexOfAnyExcept((byte)0) >= 0)
                    await target.WriteAsync(start, piece, TestContext.Current.CancellationToken);
            }

            target.Finish(null, TestContext.Current.CancellationToken);
        }

        Assert.Equal(content, device.Content[..length]);
        Assert.All(device.Content[length..], left => Assert.Equal(MemoryDevice.Before, left));
    }

    [Fact]
    public async Task Bytes_of_any_length_in_order_leave_nothing_of_before()
    {
        var device = new MemoryDevice(8 * Grain);
        var content = new byte[(3 * Grain) + 77];
        new Random(2).NextBytes(content);
        using (var target = new RestoredDevice(device, "memory", content.Length + Grain))
        {
            for (var start = 0; start < content.Length; start += 10_007)
                await target.WriteAsync(start, content.AsMemory(start, Math.Min(10_007, content.Length - start)), TestContext.Current.CancellationToken);
            target.Finish(null, TestContext.Current.CancellationToken);
        }

        Assert.Equal(content, device.Content[..content.Length]);
        Assert.All(device.Content[content.Length..(content.Length + Grain)], left => Assert.Equal(0, left));
    }

    [Fact]
    public async Task The_head_comes_last_and_a_restore_that_was_broken_off_has_none()
    {
        var device = new MemoryDevice(4 * Grain);
        var content = new byte[4 * Grain];
        new Random(3).NextBytes(content);
        using (var target = new RestoredDevice(device, "memory", content.Length))
            await target.WriteAsync(0, content, TestContext.Current.CancellationToken);
        Assert.All(device.Content[..Grain], left => Assert.Equal(0, left));
        Assert.Equal(content[Grain..], device.Content[Grain..]);

        using (var target = new RestoredDevice(device, "memory", content.Length))
        {
            await target.WriteAsync(0, content, TestContext.Current.CancellationToken);
            target.Finish(null, TestContext.Current.CancellationToken);
        }

        Assert.Equal(content, device.Content);
        Assert.Equal(["synchronise", "write 0", "synchronise"], device.Calls[^3..]);
    }

    /// <summary>Full of what was there before.</summary>
    private sealed class MemoryDevice : IOverwrittenDisk
    {
        public const byte Before = 0xaa;

        public MemoryDevice(int length)
        {
            Content = new byte[length];
            Content.AsSpan().Fill(Before);
        }

        public byte[] Content { get; }

        public List<string> Calls { get; } = [];

        public long LengthBytes => Content.Length;

        public void Write(long offsetBytes, ReadOnlySpan<byte> data)
        {
            Calls.Add($"write {offsetBytes}");
            data.CopyTo(Content.AsSpan((int)offsetBytes));
        }

        public void WriteZeros(long offsetBytes, long lengthBytes) => Content.AsSpan((int)offsetBytes, (int)lengthBytes).Clear();

        public void Synchronise() => Calls.Add("synchronise");

        public void Dispose()
        {
        }
    }
}
