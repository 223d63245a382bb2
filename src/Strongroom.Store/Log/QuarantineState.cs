using Strongroom.Store.Packs;

namespace Strongroom.Store.Log;

/// <summary>Packs that are damaged or missing, as QUARANTINE and RELEASE say. Changed under the log's lock; may be read at any time.</summary>
internal sealed class QuarantineState : ILogConcern
{
    private volatile PackRangeSet packs = new();

    public ushort Section => 19;

    public PackRangeSet Packs => packs;

    public bool Any => !packs.IsEmpty;

    public bool Contains(uint packSeq) => packs.Contains(packSeq);

    public bool TryApply(LogEntry entry)
    {
        switch (entry.Type)
        {
            case LogEntryType.Quarantine:
                packs = PackRangeSet.Of(packs.Ranges.Concat(new PayloadReader(entry.Payload).Ranges().Ranges));
                return true;
            case LogEntryType.Release:
                packs = packs.Except(new PayloadReader(entry.Payload).Ranges());
                return true;
            case LogEntryType.Sweep:
                // What is gone on purpose is not missing.
                var sweep = SweepPayload.Parse(entry);
                packs = packs.Except(sweep.Dead).Except(sweep.Relocated);
                return true;
            default:
                return false;
        }
    }

    public void WriteSection(PayloadWriter target) => target.Ranges(packs);

    public void ReadSection(ref PayloadReader source) => packs = source.Ranges();
}
