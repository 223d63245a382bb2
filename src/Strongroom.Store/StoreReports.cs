namespace Strongroom.Store;

/// <summary>What a vault holds.</summary>
/// <param name="Packs">Packs, of data and of manifests.</param>
/// <param name="BytesStored">Their length together.</param>
/// <param name="Chunks">Chunks that the dedup index knows; a chunk that two sessions stored at once may count twice.</param>
/// <param name="Snapshots">Live snapshots.</param>
public sealed record StoreStatistics(int Packs, long BytesStored, long Chunks, int Snapshots);

/// <summary>How far a session is with one image. Bytes of the session so far, of which <paramref name="ImageLengthBytes"/> belong to the image at hand.</summary>
public readonly record struct SessionProgress(long BytesScanned, long BytesRead, long BytesStored, long ImageLengthBytes);

/// <summary>What a session did. All in bytes.</summary>
/// <param name="BytesScanned">Of the images' lengths, what is settled.</param>
/// <param name="BytesRead">Asked of the sources.</param>
/// <param name="BytesZero">Holes and zeros.</param>
/// <param name="BytesUnchanged">Shared with the parent image, read or not.</param>
/// <param name="BytesDeduplicated">Found in the vault elsewhere.</param>
/// <param name="BytesNew">New to the vault, before compression.</param>
/// <param name="BytesStored">What the new chunks and manifest nodes take in packs.</param>
public sealed record SessionStatistics(
    long BytesScanned, long BytesRead, long BytesZero, long BytesUnchanged, long BytesDeduplicated, long BytesNew, long BytesStored)
{
    /// <summary>Settled by an earlier session that was not committed; not asked of the sources again.</summary>
    public long BytesResumed { get; init; }
}

/// <summary>What a restore did.</summary>
/// <param name="BytesWritten">Given to the sink.</param>
/// <param name="BytesZero">Left out, because they are zeros.</param>
/// <param name="BytesRead">Read from packs.</param>
/// <param name="Reads">Range reads made.</param>
public sealed record RestoreStatistics(long BytesWritten, long BytesZero, long BytesRead, long Reads);

/// <summary>What a collection did.</summary>
/// <param name="PacksKept">Packs that are in the vault afterwards.</param>
/// <param name="PacksDeleted">Packs removed, compacted ones included.</param>
/// <param name="BytesDeleted">Their length.</param>
/// <param name="PacksCompacted">Packs of which little was needed: that was copied, and they were removed.</param>
/// <param name="BytesCopied">What was copied for it, before compression.</param>
/// <param name="PacksCondemned">Packs that will be removed, unless somebody comes to need them, when their grace is over.</param>
public sealed record CollectReport(int PacksKept, int PacksDeleted, long BytesDeleted, int PacksCompacted, long BytesCopied, int PacksCondemned);

/// <summary>Something that a verification found wrong.</summary>
/// <param name="What">What is wrong, and where.</param>
/// <param name="Snapshots">The live snapshots that cannot be restored whole because of it; empty when none is touched.</param>
public sealed record VerifyProblem(string What, IReadOnlyCollection<SnapshotId> Snapshots);

/// <summary>What a verification found.</summary>
public sealed record VerifyReport(int SnapshotsChecked, int PacksChecked, long BytesRead, IReadOnlyList<VerifyProblem> Problems)
{
    /// <summary>True when every live snapshot can be restored as far as the check looked.</summary>
    public bool IsHealthy => Problems.Count == 0;
}
