namespace Strongroom.Store.Log;

internal sealed partial class VaultLog
{
    /// <summary>What is wrong with the log, its end included; empty when it is whole. Safe for concurrent reading.</summary>
    public IReadOnlyList<string> Damage => damage;

    /// <summary>The part of <see cref="Damage"/> that concerns entries which cannot be read. Safe for concurrent reading.</summary>
    public IReadOnlyList<LogDamage> Unread => unread;

    /// <summary>The part of <see cref="Damage"/> that concerns entries which broke the vault's rules. Safe for concurrent reading.</summary>
    public IReadOnlyList<LogBreach> Breaches => breaches;

    /// <summary>Entries that this opening could not read, each of which may have said anything. Read under the log's lock.</summary>
    public uint Unreadable { get; private set; }

    /// <summary>A file far beyond the log's end (<see cref="GreatestHole"/>) that is no entry, as a part of a sentence.</summary>
    public static string DescribeStray(long sequence) =>
        $"the file {LogEntry.NameOf(sequence)}, far beyond the log's end, is no entry of this log (if no server wrote it, move it out of the vault)";

    /// <summary>What cannot be read may have swept any pack whose number is reserved by now; numbers that are reserved later lie above.</summary>
    private void DoubtPacks() => State.Collection.Doubt(State.PackNumbers.NextPackSeq + ((ulong)Unreadable * PackNumberState.GreatestReservation));

    /// <summary>True for a VOID whose writer could not read the head, which has been put back from a copy since.</summary>
    private bool IsMended(LogEntry entry)
    {
        if (entry.Type != LogEntryType.Void)
            return false;
        var source = new PayloadReader(entry.Payload);
        var count = source.Count(40);
        for (var i = 0; i < count; i++)
        {
            if (source.Int64() == head)
                return true;
            _ = source.Raw(32);
        }

        return false;
    }

    /// <summary>The log goes on after what cannot be read; that stays damage until it is put back.</summary>
    private void CloseHole()
    {
        closedDamage.Add(DescribeHole());
        torn.Clear();
        ShowDamage();
    }

    private LogDamage DescribeHole() => new(torn[0].Sequence, torn[^1].Sequence, torn.Count == 1
        ? $"log entry {torn[0].Sequence} is damaged or missing"
        : $"log entries {torn[0].Sequence} to {torn[^1].Sequence} are damaged or missing");

    private void ShowDamage()
    {
        unread = [.. closedDamage.Where(one => !State.Losses.IsAccepted(one.First, one.Last)), .. torn.Count == 0 ? [] : (LogDamage[])[DescribeHole()]];
        damage = [.. unread.Select(one => one.What), .. State.Breaches.Select(one => one.What)];
        breaches = [.. State.Breaches];
    }

    private byte[] FormatVoid()
    {
        var payload = new PayloadWriter().UInt32((uint)torn.Count);
        foreach (var (sequence, digest) in torn)
            payload.Int64(sequence).Raw(digest);
        return payload.ToArray();
    }
}
