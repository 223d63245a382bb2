using System.Globalization;
using Strongroom.Store.Log;

namespace Strongroom.Store.Tests.Collection.Model;

/// <summary>A log of the model: a place in a tree of all logs that were ever met, so that equal logs are the same object.</summary>
internal sealed class ModelLog
{
    private const int RememberedStates = 4096;
    private static readonly byte[] NoHash = new byte[32];
    private readonly Dictionary<string, ModelLog> next = [];
    private readonly Shared shared;
    private readonly ModelLog? before;
    private readonly LogEntry? entry;

    private ModelLog(Shared shared, ModelLog? before, LogEntry? entry)
    {
        this.shared = shared;
        this.before = before;
        this.entry = entry;
        Number = shared.Count++;
        Sequence = entry?.Sequence ?? 0;
    }

    /// <summary>The same for equal logs only.</summary>
    public int Number { get; }

    /// <summary>The head.</summary>
    public long Sequence { get; }

    /// <summary>What the real code makes of the entries.</summary>
    public VaultState State
    {
        get
        {
            if (shared.States.TryGetValue(this, out var state))
                return state;
            if (shared.States.Count >= RememberedStates)
                shared.States.Clear();
            var entries = new Stack<LogEntry>();
            for (var at = this; at.entry is not null; at = at.before!)
                entries.Push(at.entry);
            state = new();
            foreach (var one in entries)
                state.Apply(one);
            return shared.States[this] = state;
        }
    }

    public static ModelLog Empty() => new(new(), null, null);

    public ModelLog Append(LogEntryType type, byte[] payload)
    {
        var key = string.Create(CultureInfo.InvariantCulture, $"{(int)type}:{Convert.ToHexString(payload)}");
        if (!next.TryGetValue(key, out var log))
        {
            var time = DateTimeOffset.UnixEpoch.AddMinutes(Sequence + 1);
            next[key] = log = new(shared, this, new(Sequence + 1, type, NoHash, Guid.Empty, time, payload, NoHash));
        }

        return log;
    }

    private sealed class Shared
    {
        public int Count { get; set; }

        public Dictionary<ModelLog, VaultState> States { get; } = [];
    }
}
