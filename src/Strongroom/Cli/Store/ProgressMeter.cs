namespace Strongroom.Cli.Store;

/// <summary>How far a piece of work is. Safe for concurrent use; a report costs two writes.</summary>
internal sealed class ProgressMeter
{
    private long doneBytes;
    private long totalBytes;

    public long DoneBytes => Volatile.Read(ref doneBytes);

    /// <summary>0 while it is not known.</summary>
    public long TotalBytes => Volatile.Read(ref totalBytes);

    public double Fraction => TotalBytes > 0 ? Math.Clamp((double)DoneBytes / TotalBytes, 0, 1) : 0;

    public void Report(long done, long total)
    {
        Volatile.Write(ref totalBytes, total);
        Volatile.Write(ref doneBytes, done);
        Changed?.Invoke();
    }

    /// <summary>Called on the thread that reports.</summary>
    public Action? Changed { get; set; }

    /// <summary>The meter as what the store takes, which reports on its own thread: <see cref="Progress{T}"/> would post to the pool, out of order.</summary>
    public IProgress<T> As<T>(Func<T, (long Done, long Total)> read) => new Adapter<T>(this, read);

    private sealed class Adapter<T>(ProgressMeter meter, Func<T, (long Done, long Total)> read) : IProgress<T>
    {
        public void Report(T value)
        {
            var (done, total) = read(value);
            meter.Report(done, total);
        }
    }
}
