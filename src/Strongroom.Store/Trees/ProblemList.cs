namespace Strongroom.Store.Trees;

/// <summary>Collects what went wrong with single files, within bounds. Thread-safe.</summary>
internal sealed class ProblemList
{
    private const int Kept = 10_000;
    private readonly Lock gate = new();
    private readonly List<TreeProblem> problems = [];
    private long count;

    public long Count => Interlocked.Read(ref count);

    public void Add(TreePath path, string what)
    {
        Interlocked.Increment(ref count);
        lock (gate)
        {
            if (problems.Count < Kept)
                problems.Add(new(path, what));
        }
    }

    public IReadOnlyList<TreeProblem> ToList()
    {
        lock (gate)
            return [.. problems];
    }
}
