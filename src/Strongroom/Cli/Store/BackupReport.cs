using System.Text.Json.Nodes;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary>What a backup says at its end, whatever was backed up.</summary>
internal static class BackupReport
{
    /// <param name="kind"><c>image</c>, <c>stream</c> or <c>tree</c>.</param>
    /// <param name="bytesTotal">Length of what was backed up.</param>
    public static VerbResult Of(Snapshot snapshot, SessionStatistics statistics, string kind, long bytesTotal, TimeSpan elapsed)
    {
        // What neither the parent nor a hole accounts for.
        var bytesChanged = statistics.BytesNew + statistics.BytesDeduplicated;
        var json = new JsonObject
        {
            ["snapshot"] = snapshot.Id.Value,
            ["item"] = snapshot.ItemId,
            ["kind"] = kind,
            ["parent"] = snapshot.Parent?.Value,
            ["createdAt"] = Sizes.IsoTime(snapshot.CreatedAt),
            ["bytesTotal"] = bytesTotal,
            ["bytesRead"] = statistics.BytesRead,
            ["bytesChanged"] = bytesChanged,
            ["bytesResumed"] = statistics.BytesResumed,
            ["bytesZero"] = statistics.BytesZero,
            ["bytesUnchanged"] = statistics.BytesUnchanged,
            ["bytesDeduplicated"] = statistics.BytesDeduplicated,
            ["bytesNew"] = statistics.BytesNew,
            ["bytesStored"] = statistics.BytesStored,
            ["seconds"] = Math.Round(elapsed.TotalSeconds, 3),
        };
        return new(json,
        [
            $"Snapshot {snapshot.Id} of {snapshot.ItemId}",
            snapshot.Parent is { } parent ? $"  parent   {parent}" : "  parent   none",
            $"  {kind,-6}   {Sizes.Text(bytesTotal)}, {Sizes.Text(statistics.BytesZero)} of it zeros",
            $"  read     {Sizes.Text(statistics.BytesRead)}{(statistics.BytesResumed > 0 ? $", and {Sizes.Text(statistics.BytesResumed)} by a backup before that was interrupted" : "")}",
            $"  changed  {Sizes.Text(bytesChanged)}, {Sizes.Text(statistics.BytesDeduplicated)} of it in the vault already",
            $"  stored   {Sizes.Text(statistics.BytesStored)}",
            $"  time     {Sizes.Seconds(elapsed)}",
        ]);
    }
}
