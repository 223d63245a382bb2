namespace Strongroom.Clients.Servers;

/// <summary>The last lines a server wrote. Safe for concurrent use.</summary>
internal sealed class ServerLog
{
    private const int KeptLines = 400;
    private readonly Queue<string> _lines = new();
    private readonly Lock _gate = new();

    public void Add(string line)
    {
        lock (_gate)
        {
            _lines.Enqueue(line);
            if (_lines.Count > KeptLines)
                _lines.Dequeue();
        }
    }

    /// <summary>How many of the kept lines hold the text.</summary>
    public int Count(string text)
    {
        lock (_gate)
            return _lines.Count(line => line.Contains(text, StringComparison.Ordinal));
    }

    public string Tail(int lines = 60)
    {
        lock (_gate)
            return "--- the server's last lines\n" + string.Join('\n', _lines.TakeLast(lines));
    }
}
