namespace Strongroom.Store;

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
