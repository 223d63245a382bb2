namespace Strongroom.Blocks.Tests;

/// <summary>What every block source must hold, and ways to read one whole.</summary>
public static class Sources
{
    public static async Task<List<BlockExtent>> MapAsync(IBlockSource source)
    {
        var extents = new List<BlockExtent>();
        await foreach (var extent in source.MapAsync(CancellationToken.None))
            extents.Add(extent);
        return extents;
    }

    public static async Task<byte[]> ReadAllAsync(IBlockSource source)
    {
        var bytes = new byte[source.LengthBytes];
        bytes.AsSpan().Fill(0xEE);
        await source.ReadAsync(0, bytes, CancellationToken.None);
        return bytes;
    }

    /// <summary>The map covers the disk without gap or overlap, and what it calls zero is zero.</summary>
    public static async Task<List<BlockExtent>> RequireSoundMapAsync(IBlockSource source, byte[] content)
    {
        var extents = await MapAsync(source);
        var offset = 0L;
        foreach (var extent in extents)
        {
            Assert.Equal(offset, extent.OffsetBytes);
            Assert.True(extent.LengthBytes > 0);
            if (extent.Kind == BlockKind.Zero)
                Assert.False(content.AsSpan((int)extent.OffsetBytes, (int)extent.LengthBytes).ContainsAnyExcept((byte)0));
            offset += extent.LengthBytes;
        }

        Assert.Equal(source.LengthBytes, offset);
        return extents;
    }

    public static byte[] Noise(int lengthBytes, int seed)
    {
        var bytes = new byte[lengthBytes];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
