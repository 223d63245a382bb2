namespace Strongroom.Store.AzureBlob;

/// <summary>How blobs go to a container. Immutable.</summary>
public sealed record AzureBlobOptions
{
    /// <summary>What stands before each blob's name: empty, or ending with a slash.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Blobs of more bytes than this go in blocks of this length.</summary>
    public int BlockLengthBytes { get; init; } = 8 << 20;

    /// <summary>Blocks of one blob under way at once.</summary>
    public int ConcurrentBlocks { get; init; } = 2;

    /// <summary>True: retention, where the container has version-level immutability, can be ended by nobody; false: by who may change policies.</summary>
    public bool IsRetentionLocked { get; init; } = true;

    /// <summary>Blobs asked for in one page of a list; at most 5,000.</summary>
    public int PageBlobs { get; init; } = 1000;
}
