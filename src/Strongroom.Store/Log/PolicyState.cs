using Strongroom.Store.Governance;

namespace Strongroom.Store.Log;

/// <summary>The vault's policy, as POLICY says. Changed under the log's lock; may be read at any time.</summary>
internal sealed class PolicyState(List<LogBreach> breaches) : ILogConcern
{
    private volatile VaultPolicy current = new();

    public ushort Section => 17;

    public VaultPolicy Current => current;

    public static byte[] Format(VaultPolicy policy)
    {
        var payload = new PayloadWriter();
        Write(payload, policy);
        return payload.ToArray();
    }

    public bool TryApply(LogEntry entry)
    {
        if (entry.Type != LogEntryType.Policy)
            return false;
        var source = new PayloadReader(entry.Payload);
        var next = Read(ref source);
        if (SnapshotRules.WhyNotPolicy(current, next) is { } refusal)
            breaches.Add(new(entry.Sequence, $"log entry {entry.Sequence} weakens the vault's policy, and was not obeyed: {refusal.Why}"));
        else
            current = next;
        return true;
    }

    public void WriteSection(PayloadWriter target) => Write(target, current);

    public void ReadSection(ref PayloadReader source) => current = Read(ref source);

    private static void Write(PayloadWriter target, VaultPolicy policy) => target
        .UInt32((uint)policy.SoftDeleteDays)
        .Byte(policy.IsSoftDeleteAlwaysOn ? (byte)1 : (byte)0)
        .UInt32((uint)policy.MinimumRetentionDays)
        .Byte((byte)policy.Immutability);

    private static VaultPolicy Read(ref PayloadReader source)
    {
        var policy = new VaultPolicy
        {
            SoftDeleteDays = (int)source.UInt32(),
            IsSoftDeleteAlwaysOn = source.Byte() != 0,
            MinimumRetentionDays = (int)source.UInt32(),
            Immutability = (Immutability)source.Byte(),
        };
        try
        {
            policy.Validate();
            return policy;
        }
        catch (StoreException failure)
        {
            throw new StoreException(StoreErrorKind.Unsupported, "The log sets a policy that this program does not know. Use a newer Strongroom.", failure);
        }
    }
}
