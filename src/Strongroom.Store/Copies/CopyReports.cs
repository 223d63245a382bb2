namespace Strongroom.Store.Copies;

/// <summary>How a vault is copied. Immutable.</summary>
public sealed record CopyOptions
{
    /// <summary>Packs copied at a time; 1 to 64.</summary>
    public int Parallelism { get; init; } = 4;

    /// <summary>Says of the number of a pack that only the target has whether a collection of the source removed it; then it is removed there, too. Null: nothing is removed.</summary>
    public Func<uint, bool>? MayRemove { get; init; }

    internal void Validate()
    {
        if (Parallelism is < 1 or > 64)
            throw new StoreException(StoreErrorKind.InvalidRequest, "The parallelism of a copy must be 1 to 64.");
    }
}

/// <summary>How far a copy is.</summary>
/// <param name="BytesDone">Bytes of packs settled, those included that were there already.</param>
/// <param name="BytesTotal">Bytes of packs in the source.</param>
public readonly record struct CopyProgress(long BytesDone, long BytesTotal);

/// <summary>What a copy did.</summary>
/// <param name="BlobsCopied">Blobs written.</param>
/// <param name="BytesCopied">Bytes of them.</param>
/// <param name="PacksPresent">Packs that were there already.</param>
/// <param name="BlobsRemoved">Blobs that the source has no more.</param>
/// <param name="Problems">What of the source is damaged and was left out, or copied as it is (log entries).</param>
public sealed record CopyReport(int BlobsCopied, long BytesCopied, int PacksPresent, int BlobsRemoved, IReadOnlyList<string> Problems);
