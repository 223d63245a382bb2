namespace Strongroom.Store.S3;

/// <summary>Where in a bucket a vault lies, and how the server behind it is to be spoken to. Immutable.</summary>
public sealed record S3Options
{
    /// <summary>The bucket; it exists already.</summary>
    public required string Bucket { get; init; }

    /// <summary>What stands before each blob's name: empty, or ending with a slash.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>True when the operator vouches that one process at a time writes: allows a server without conditional creation.</summary>
    public bool IsSingleWriter { get; init; }

    /// <summary>Blobs of more bytes than this go in parts of this length where the server can commit those conditionally; at least 5 MiB.</summary>
    public int PartLengthBytes { get; init; } = 16 << 20;

    /// <summary>How firmly blobs are retained where the bucket has Object Lock.</summary>
    public S3RetentionMode Retention { get; init; }

    /// <summary>Parts of one blob under way at once.</summary>
    public int ConcurrentParts { get; init; } = 2;
}
