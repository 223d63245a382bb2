using System.CommandLine;
using System.Text.Json.Nodes;
using Strongroom.Store.Scrub;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store scrub</c>: reads a part of the vault each time, what was not verified for longest first. Ends with <see cref="ExitCodes.Damage"/> when damage is known.</summary>
internal static class ScrubVerb
{
    private const long MiB = 1 << 20;

    public static Command Create()
    {
        var budget = LimitOptions.RateOption("--budget", "The most bytes of packs that are read each second, such as 20M.");
        var most = new Option<int?>("--max-mib") { Description = "Begin no further pack once so many MiB were read." };
        var seconds = new Option<int?>("--max-seconds") { Description = "Begin no further pack after so long." };
        var deep = new Option<bool>("--deep") { Description = "Decrypt and identify every chunk; otherwise packs are compared with their digests." };
        var age = new Option<int>("--older-than-days") { Description = "Leave out what was verified within so many days.", DefaultValueFactory = _ => 0 };
        var command = new VerbCommand("scrub", "Verify a part of the vault, going on where the last scrub stopped.") { budget, most, seconds, deep, age };
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            var options = new ScrubOptions
            {
                BudgetBytesPerSecond = parsed.GetValue(budget),
                MaxBytes = Positive(parsed.GetValue(most), "--max-mib") * MiB,
                Duration = Positive(parsed.GetValue(seconds), "--max-seconds") is { } limit ? TimeSpan.FromSeconds(limit) : null,
                Deep = parsed.GetValue(deep),
                OlderThan = parsed.GetValue(age) is >= 0 and <= 36_500 and var days ? TimeSpan.FromDays(days) : throw new UsageException("--older-than-days is from 0 to 36,500."),
            };
            return await RunAsync(context, options, cancellationToken);
        });
        return command;
    }

    /// <summary>One scrub, as <c>verify --budget</c> runs it, too.</summary>
    public static async Task<VerbResult> RunAsync(VerbContext context, ScrubOptions options, CancellationToken cancellationToken)
    {
        var started = context.Time.GetTimestamp();
        var vault = await context.OpenAsync(cancellationToken);
        var report = await context.Console.TrackAsync(
            "Scrubbing", meter => vault.ScrubAsync(options, meter.As<ScrubProgress>(p => (p.BytesRead, p.BytesDue)), cancellationToken));
        return Result(report, context.Time.GetElapsedTime(started));
    }

    private static long? Positive(int? value, string option) => value is <= 0 ? throw new UsageException($"{option} must be more than 0.") : value;

    private static VerbResult Result(ScrubReport report, TimeSpan elapsed)
    {
        var json = new JsonObject
        {
            ["healthy"] = report.IsHealthy,
            ["packsRead"] = report.PacksRead,
            ["bytesRead"] = report.BytesRead,
            ["packs"] = report.Packs,
            ["packsVerified"] = report.PacksVerified,
            ["oldestVerification"] = report.OldestVerification is { } oldest ? Sizes.IsoTime(oldest) : null,
            ["released"] = report.Released,
            ["damaged"] = new JsonArray([.. report.Damaged.Select(JsonNode (pack) => new JsonObject { ["pack"] = $"{pack.Pack:x8}", ["what"] = pack.What })]),
            ["logDamage"] = new JsonArray([.. report.LogDamage.Select(JsonNode (what) => what)]),
            ["damagedSnapshots"] = new JsonArray([.. report.Snapshots.Where(snapshot => snapshot.IsDamaged).Select(JsonNode (snapshot) => snapshot.Id.Value)]),
            ["seconds"] = Math.Round(elapsed.TotalSeconds, 3),
        };
        List<string> lines = [$"Read {Sizes.Count(report.PacksRead, "pack")}, {Sizes.Text(report.BytesRead)}, in {Sizes.Seconds(elapsed)}. Whole when last read: {report.PacksVerified} of {Sizes.Count(report.Packs, "pack")}."];
        lines.AddRange(report.LogDamage.Select(what => $"DAMAGE: {what}"));
        lines.AddRange(report.Damaged.Select(pack => $"DAMAGE: pack {pack.Pack:x8}: {pack.What}"));
        lines.AddRange(report.Snapshots.Where(snapshot => snapshot.IsDamaged).Select(snapshot => $"  affects snapshot {snapshot.Id}"));
        return new(json, lines, report.IsHealthy ? ExitCodes.Done : ExitCodes.Damage);
    }
}
