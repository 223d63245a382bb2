using System.Text.Json.Nodes;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary>The end of a backup, whatever was backed up.</summary>
internal static class BackupReport
{
    /// <summary>Commits what a session stored, and reports it.</summary>
    /// <param name="context">The verb's.</param>
    /// <param name="session">Has written everything.</param>
    /// <param name="draft">What is to be committed.</param>
    /// <param name="kind"><c>image</c>, <c>stream</c> or <c>tree</c>.</param>
    /// <param name="bytesTotal">Length of what was backed up.</param>
    /// <param name="started">When the verb began, of <see cref="TimeProvider.GetTimestamp"/>.</param>
    /// <param name="tellsZeros">Whether its zeros were all looked for: in a disk that was read whole.</param>
    /// <param name="cancellationToken">Is looked at before the commit and no more: afterwards the snapshot may be visible.</param>
    public static async Task<VerbResult> CommitAsync(
        VerbContext context, StoreSession session, SnapshotDraft draft, string kind, long bytesTotal, long started, CancellationToken cancellationToken, bool tellsZeros = false)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var statistics = session.Statistics;
        var snapshot = await session.CommitAsync(draft, CancellationToken.None);
        return Of(snapshot, statistics, kind, bytesTotal, context.Time.GetElapsedTime(started), tellsZeros);
    }

    private static VerbResult Of(Snapshot snapshot, SessionStatistics statistics, string kind, long bytesTotal, TimeSpan elapsed, bool tellsZeros)
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
            $"Snapshot {snapshot.Id} of {Shown.Text(snapshot.ItemId)}",
            snapshot.Parent is { } parent ? $"  parent   {parent}" : "  parent   none",
            $"  {kind,-6}   {Sizes.Text(bytesTotal)}{(tellsZeros ? $", {Sizes.Text(statistics.BytesZero)} of it zeros" : "")}",
            $"  read     {Sizes.Text(statistics.BytesRead)}{(statistics.BytesResumed > 0 ? $", and {Sizes.Text(statistics.BytesResumed)} by a backup before that was interrupted" : "")}",
            $"  changed  {Sizes.Text(bytesChanged)}, {Sizes.Text(statistics.BytesDeduplicated)} of it in the vault already",
            $"  stored   {Sizes.Text(statistics.BytesStored)}",
            $"  time     {Sizes.Seconds(elapsed)}",
        ]);
    }
}
