using System.Collections.Concurrent;

namespace Strongroom.Store.Log;

/// <summary>Which pack numbers are taken and which packs are gone, as RESERVE and SWEEP say. Changed under the log's lock; may be read at any time.</summary>
internal sealed class CollectionState(Guid ownWriterId) : ILogConcern
{
    private readonly ConcurrentDictionary<uint, byte> swept = [];

    public ushort Section => 2;

    public uint NextPackSeq { get; private set; } = 1;

    /// <summary>The last SWEEP that another writer made.</summary>
    public long LastForeignSweep { get; private set; }

    /// <summary>True for a pack that a sweep announced as deleted: it may still be there, but nothing may refer to it anew. Safe for concurrent calls.</summary>
    public bool IsSwept(uint packSeq) => swept.ContainsKey(packSeq);

    public bool TryApply(LogEntry entry)
    {
        var source = new PayloadReader(entry.Payload);
        switch (entry.Type)
        {
            case LogEntryType.Reserve:
                NextPackSeq = Math.Max(NextPackSeq, checked(source.UInt32() + source.UInt32()));
                return true;
            case LogEntryType.Sweep:
                var count = source.Count(4);
                for (var i = 0; i < count; i++)
                    swept[source.UInt32()] = 0;
                if (entry.WriterId != ownWriterId)
                    LastForeignSweep = entry.Sequence;
                return true;
            default:
                return false;
        }
    }

    public void WriteSection(PayloadWriter target) => target.UInt32(NextPackSeq);

    public void ReadSection(ref PayloadReader source) => NextPackSeq = Math.Max(NextPackSeq, source.UInt32());
}
