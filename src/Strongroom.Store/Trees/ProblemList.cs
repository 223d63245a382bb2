namespace Strongroom.Store.Trees;

/// <summary>Collects what went wrong with single files, within bounds. Thread-safe.</summary>
internal sealed class ProblemList
{
    private const int Kept = 10_000;

    // Paths have no greatest length: those of 10,000 files in deep folders would take gigabytes.
    private const long KeptPathBytes = 64 << 20;
    private readonly Lock gate = new();
    private readonly List<TreeProblem> problems = [];
    private long pathBytes;
    private long count;

    public long Count => Interlocked.Read(ref count);

    public void Add(TreePath path, string what)
    {
        Interlocked.Increment(ref count);
        lock (gate)
        {
            if (problems.Count == Kept || pathBytes + path.Bytes.Length > KeptPathBytes)
                return;
            pathBytes += path.Bytes.Length;
            problems.Add(new(path, what));
        }
    }

    public IReadOnlyList<TreeProblem> ToList()
    {
        lock (gate)
            return [.. problems];
    }
}
