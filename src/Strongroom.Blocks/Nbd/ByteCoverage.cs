namespace Strongroom.Blocks.Nbd;

/// <summary>Which parts of a range have arrived: a server that sends a part twice and another never must not pass for one that sent all.</summary>
/// <remarks>Sorted runs, merged where they touch; parts that arrive in order, as they nearly always do, keep it at one run.</remarks>
internal sealed class ByteCoverage
{
    private readonly List<(long Start, long End)> _runs = [];

    /// <summary>Adds a run; false when some of it was there already.</summary>
    public bool TryAdd(long start, long length)
    {
        var end = start + length;
        var index = _runs.Count;
        while (index > 0 && _runs[index - 1].Start >= end)
            index--;
        if (index > 0 && _runs[index - 1].End > start)
            return false;

        var joinsPrevious = index > 0 && _runs[index - 1].End == start;
        var joinsNext = index < _runs.Count && _runs[index].Start == end;
        if (joinsPrevious && joinsNext)
        {
            _runs[index - 1] = (_runs[index - 1].Start, _runs[index].End);
            _runs.RemoveAt(index);
        }
        else if (joinsPrevious)
            _runs[index - 1] = (_runs[index - 1].Start, end);
        else if (joinsNext)
            _runs[index] = (start, _runs[index].End);
        else
            _runs.Insert(index, (start, end));
        return true;
    }

    /// <summary>Pieces that do not touch.</summary>
    public int RunCount => _runs.Count;

    public bool IsExactly(long start, long length) => _runs.Count == 1 && _runs[0] == (start, start + length);
}
