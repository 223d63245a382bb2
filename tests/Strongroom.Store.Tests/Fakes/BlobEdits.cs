namespace Strongroom.Store.Tests.Fakes;

/// <summary>What a bad disk or a bad man does to blobs.</summary>
internal static class BlobEdits
{
    public static async Task<List<BlobInfo>> AllAsync(this IBlobBackend backend, string prefix)
    {
        var found = new List<BlobInfo>();
        await foreach (var blob in backend.ListAsync(prefix, CancellationToken.None))
            found.Add(blob);
        return found;
    }

    public static async Task<byte[]> ContentAsync(this IBlobBackend backend, string name)
    {
        var bytes = new byte[await backend.GetLengthAsync(name, CancellationToken.None) ?? throw new InvalidOperationException(name)];
        await backend.ReadAsync(name, 0, bytes, CancellationToken.None);
        return bytes;
    }

    public static async Task ReplaceAsync(this IBlobBackend backend, string name, byte[] content)
    {
        await backend.DeleteAsync(name, CancellationToken.None);
        Assert.True(await backend.PutIfAbsentAsync(name, content, CancellationToken.None));
    }

    public static async Task<MemoryBackend> CopyAsync(this IBlobBackend backend)
    {
        var copy = new MemoryBackend();
        foreach (var blob in await backend.AllAsync(""))
            await copy.PutIfAbsentAsync(blob.Name, await backend.ContentAsync(blob.Name), CancellationToken.None);
        return copy;
    }
}
