using Strongroom.Store.Governance;

namespace Strongroom.Store.Log;

/// <summary>Which generation of the keys is in force, as KEY says, and whether they were erased. Changed under the log's lock; may be read at any time.</summary>
internal sealed class KeyState(SnapshotState snapshots, PolicyState policy, List<LogBreach> breaches) : ILogConcern
{
    private sealed record Logged(uint Generation, byte[] Digest, uint Epoch, bool IsErased);

    private volatile Logged logged = new(0, new byte[32], 0, false);

    public ushort Section => 16;

    /// <summary>0 before the first KEY.</summary>
    public uint Generation => logged.Generation;

    /// <summary>SHA-256 of the generation's blob.</summary>
    public byte[] Digest => logged.Digest;

    /// <summary>The greatest epoch that any generation has had.</summary>
    public uint Epoch => logged.Epoch;

    /// <summary>True when ERASE said that the keys are to be destroyed.</summary>
    public bool IsErased => logged.IsErased;

    public bool TryApply(LogEntry entry)
    {
        var source = new PayloadReader(entry.Payload);
        switch (entry.Type)
        {
            case LogEntryType.Key:
                var generation = source.UInt32();
                var digest = source.Raw(32).ToArray();
                var epoch = Math.Max(logged.Epoch, source.UInt32());

                // One that comes late says nothing: a later one is in force.
                logged = generation > logged.Generation ? logged with { Generation = generation, Digest = digest, Epoch = epoch } : logged with { Epoch = epoch };
                return true;
            case LogEntryType.Erase:
                var at = source.Time();
                if (SnapshotRules.WhyNotErased(snapshots.AllLive, policy.Current, at) is { } refusal)
                    breaches.Add(new(entry.Sequence, $"log entry {entry.Sequence} destroys the vault's keys against its rules, and was not obeyed: {refusal.Why}"));
                else
                    logged = logged with { IsErased = true };
                return true;
            default:
                return false;
        }
    }

    public void WriteSection(PayloadWriter target) =>
        target.UInt32(Generation).Raw(Digest).UInt32(Epoch).Byte(IsErased ? (byte)1 : (byte)0);

    public void ReadSection(ref PayloadReader source) =>
        logged = new(source.UInt32(), source.Raw(32).ToArray(), source.UInt32(), source.Byte() != 0);
}
