namespace Strongroom.Store;

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

/// <summary>The running sums of a session. Thread-safe.</summary>
internal sealed class SessionCounters
{
    private long read;
    private long zero;
    private long unchanged;
    private long deduplicated;
    private long added;
    private long stored;
    private long resumed;

    public void AddRead(long bytes) => Interlocked.Add(ref read, bytes);

    public void AddZero(long bytes) => Interlocked.Add(ref zero, bytes);

    public void AddUnchanged(long bytes) => Interlocked.Add(ref unchanged, bytes);

    public void AddDeduplicated(long bytes) => Interlocked.Add(ref deduplicated, bytes);

    public void AddNew(long bytes) => Interlocked.Add(ref added, bytes);

    public void AddStored(long bytes) => Interlocked.Add(ref stored, bytes);

    public void AddResumed(long bytes) => Interlocked.Add(ref resumed, bytes);

    public SessionStatistics ToStatistics() => new(
        Scanned(), Volatile.Read(ref read), Volatile.Read(ref zero), Volatile.Read(ref unchanged),
        Volatile.Read(ref deduplicated), Volatile.Read(ref added), Volatile.Read(ref stored))
    {
        BytesResumed = Volatile.Read(ref resumed),
    };

    public SessionProgress ToProgress(long imageLengthBytes) =>
        new(Scanned(), Volatile.Read(ref read), Volatile.Read(ref stored), imageLengthBytes);

    private long Scanned() =>
        Volatile.Read(ref zero) + Volatile.Read(ref unchanged) + Volatile.Read(ref deduplicated) + Volatile.Read(ref added) + Volatile.Read(ref resumed);
}
