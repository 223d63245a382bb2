namespace Strongroom.Store.Fuzz;

/// <summary>A parser of stored bytes. The keys are known: what the harness seals is authentic, so the bytes behind the seal are reached.</summary>
internal abstract class FuzzTarget
{
    public abstract string Name { get; }

    /// <summary>Well-formed inputs to begin with.</summary>
    public abstract IEnumerable<byte[]> Seeds { get; }

    /// <summary>What one input may allocate, in bytes.</summary>
    public virtual long GreatestAllocationBytes => 16 << 20;

    /// <summary>Parses the input. Only a <see cref="StoreException"/> may come out.</summary>
    public abstract void Run(byte[] input);

    /// <summary>Takes the result of a call over a backend in memory, which completes at once.</summary>
    protected static T Finish<T>(ValueTask<T> task) =>
        task.IsCompleted ? task.GetAwaiter().GetResult() : throw new InvalidOperationException("A call over memory did not complete at once.");

    protected static void Finish(ValueTask task)
    {
        if (!task.IsCompleted)
            throw new InvalidOperationException("A call over memory did not complete at once.");
        task.GetAwaiter().GetResult();
    }

    protected static T Finish<T>(Task<T> task) => Finish(new ValueTask<T>(task));
}
