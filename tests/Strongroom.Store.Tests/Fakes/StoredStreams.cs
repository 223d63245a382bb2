namespace Strongroom.Store.Tests.Fakes;

/// <summary>Short ways to store and read streams.</summary>
internal static class StoredStreams
{
    public static async Task<(StreamRef Stream, SessionStatistics Statistics)> StoreAsync(this VaultStore vault, byte[] content, StreamRef? parent = null)
    {
        await using var session = await vault.OpenSessionAsync(CancellationToken.None);
        var stream = await session.WriteStreamAsync(new MemoryStream(content), parent, null, CancellationToken.None);
        await session.CommitAsync(TestVault.Draft() with { Streams = [new("dump", stream)] }, CancellationToken.None);
        return (stream, session.Statistics);
    }

    public static async Task<byte[]> RestoreAsync(this VaultStore vault, StreamRef stream)
    {
        var target = new MemoryStream();
        await vault.RestoreStreamAsync(stream, target, null, CancellationToken.None);
        return target.ToArray();
    }

    public static async Task AssertRestoresAsync(this VaultStore vault, StreamRef stream, byte[] expected)
    {
        var found = await vault.RestoreAsync(stream);
        Assert.True(expected.AsSpan().SequenceEqual(found));
    }
}
