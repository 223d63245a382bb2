using System.CommandLine;
using System.Text.Json.Nodes;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store gc</c>.</summary>
internal static class GcVerb
{
    public static Command Create()
    {
        var grace = CommandLine.NumberOption("--grace-hours", "How long packs stay condemned before they go. With 0 a backup that runs meanwhile, here or elsewhere, may have to be run again.", 0);
        var command = new VerbCommand("gc", "Remove what no snapshot needs any more.") { grace };
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            var started = context.Time.GetTimestamp();
            var vault = await context.OpenAsync(cancellationToken);

            // What was deleted long enough ago is given up first; else its room would come back with the collection after the next.
            var purged = vault.Governance.IsClockTrusted ? await vault.Governance.PurgeAsync(cancellationToken) : [];

            // Nobody but the vault itself knows here which snapshots it has.
            var report = await vault.CollectAsync(null, new() { Grace = TimeSpan.FromHours(parsed.GetValue(grace)) }, cancellationToken);
            var elapsed = context.Time.GetElapsedTime(started);
            return new(
                new JsonObject
                {
                    ["snapshotsPurged"] = purged.Count,
                    ["packsKept"] = report.PacksKept,
                    ["packsDeleted"] = report.PacksDeleted,
                    ["bytesDeleted"] = report.BytesDeleted,
                    ["packsCompacted"] = report.PacksCompacted,
                    ["bytesCopied"] = report.BytesCopied,
                    ["packsCondemned"] = report.PacksCondemned,
                    ["seconds"] = Math.Round(elapsed.TotalSeconds, 3),
                },
                [
                    $"Removed {Sizes.Count(report.PacksDeleted, "pack")} ({Sizes.Text(report.BytesDeleted)}), kept {report.PacksKept}, in {Sizes.Seconds(elapsed)}.",
                    $"Compacted {Sizes.Count(report.PacksCompacted, "pack")}, copying {Sizes.Text(report.BytesCopied)}.",
                    $"Condemned {Sizes.Count(report.PacksCondemned, "pack")}, which a later collection removes.",
                ]);
        });
        return command;
    }
}
