using Strongroom.Store.Packs;

namespace Strongroom.Store.Log;

/// <summary>The payload of CONDEMN: these packs are not to be referred to anew, and will go unless somebody does.</summary>
/// <param name="MarkedAt">The head of the log when the live snapshots were marked.</param>
/// <param name="DeletedThrough">Every pack of the SWEEPs up to this entry is gone from the storage.</param>
/// <param name="Packs">What is condemned.</param>
internal sealed record CondemnPayload(long MarkedAt, long DeletedThrough, PackRangeSet Packs)
{
    public byte[] Format() => new PayloadWriter().Int64(MarkedAt).Int64(DeletedThrough).Ranges(Packs).ToArray();

    public static CondemnPayload Parse(LogEntry entry)
    {
        var source = new PayloadReader(entry.Payload);
        return new(source.Int64(), source.Int64(), source.Ranges());
    }
}

/// <summary>The payload of SWEEP: these packs are gone.</summary>
/// <param name="CondemnSequence">The CONDEMN that it carries out.</param>
/// <param name="Dead">Packs of which no live snapshot needs anything.</param>
/// <param name="Relocated">Packs whose live chunks lie elsewhere, as the table says.</param>
/// <param name="Attempt">The number of the table of <paramref name="Relocated"/>; 0 when nothing is relocated.</param>
/// <param name="DroppedTables">CONDEMNs of earlier tables that no live snapshot needs any more.</param>
internal sealed record SweepPayload(
    long CondemnSequence, PackRangeSet Dead, PackRangeSet Relocated, ulong Attempt, IReadOnlyList<long> DroppedTables)
{
    public byte[] Format()
    {
        var payload = new PayloadWriter().Int64(CondemnSequence).Ranges(Dead).Ranges(Relocated).Int64((long)Attempt).UInt32((uint)DroppedTables.Count);
        foreach (var table in DroppedTables)
            payload.Int64(table);
        return payload.ToArray();
    }

    public static SweepPayload Parse(LogEntry entry)
    {
        var source = new PayloadReader(entry.Payload);
        var condemn = source.Int64();
        var dead = source.Ranges();
        var relocated = source.Ranges();
        var attempt = (ulong)source.Int64();
        var dropped = new long[source.Count(8)];
        for (var i = 0; i < dropped.Length; i++)
            dropped[i] = source.Int64();
        return new(condemn, dead, relocated, attempt, dropped);
    }
}
