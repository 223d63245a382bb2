using System.CommandLine;
using System.Text.Json.Nodes;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store gc</c>.</summary>
internal static class GcVerb
{
    public static Command Create()
    {
        var command = new VerbCommand("gc", "Remove what no snapshot needs any more.");
        command.SetVerb(async (_, context, cancellationToken) =>
        {
            var started = context.Time.GetTimestamp();
            var vault = await context.OpenAsync(cancellationToken);
            var report = await vault.CollectAsync([], new() { Grace = TimeSpan.Zero }, cancellationToken);
            var elapsed = context.Time.GetElapsedTime(started);
            return new(
                new JsonObject
                {
                    ["packsKept"] = report.PacksKept,
                    ["packsDeleted"] = report.PacksDeleted,
                    ["bytesDeleted"] = report.BytesDeleted,
                    ["seconds"] = Math.Round(elapsed.TotalSeconds, 3),
                },
                [$"Removed {report.PacksDeleted} packs ({Sizes.Text(report.BytesDeleted)}), kept {report.PacksKept}, in {Sizes.Seconds(elapsed)}."]);
        });
        return command;
    }
}
