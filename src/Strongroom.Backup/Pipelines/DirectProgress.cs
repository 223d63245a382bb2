namespace Strongroom.Backup.Pipelines;

/// <summary>Calls back at once, on the caller's thread: <see cref="Progress{T}"/> would post to the pool, out of order.</summary>
internal sealed class DirectProgress<T>(Action<T> report) : IProgress<T>
{
    public void Report(T value) => report(value);
}
