using System.CommandLine;
using System.Text.Json.Nodes;
using Strongroom.Store;
using Strongroom.Store.Copies;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store copy</c>: brings a copy of the vault up to date. Ends with <see cref="ExitCodes.Damage"/> when the vault is damaged.</summary>
internal static class CopyVerb
{
    public static Command Create()
    {
        var target = new Argument<string>("TARGET") { Description = $"The copy: {LocationArgument.Description}." };
        var parallelism = new Option<int>("--parallelism") { Description = "How many packs are copied at a time, 1 to 64.", DefaultValueFactory = _ => new CopyOptions().Parallelism };
        var command = new VerbCommand("copy", "Copy the vault, or what its copy lacks, to another place. Needs no key; with one, packs that a collection removed are removed there, too.") { target, parallelism };
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            if (parsed.GetValue(parallelism) is < 1 or > 64)
                throw new UsageException("--parallelism is from 1 to 64.");
            var started = context.Time.GetTimestamp();
            var from = context.OpenPlace();

            // Before the target is opened: nothing is made there for a mistyped vault.
            if (!await VaultStore.ExistsAsync(from, cancellationToken))
                throw new StoreException(StoreErrorKind.NotFound, $"'{context.Location}' is no vault. Check the path.");
            var options = new CopyOptions
            {
                Parallelism = parsed.GetValue(parallelism),
                MayRemove = context.HasKey ? (await context.OpenAsync(cancellationToken)).IsSwept : null,
            };
            var to = context.OpenOther(parsed.GetRequiredValue(target), mustExist: false);
            if (!await VaultStore.ExistsAsync(to.Backend, cancellationToken))
                await FreePlace.RequireAsync(parsed.GetRequiredValue(target), to, cancellationToken);
            var report = await context.Console.TrackAsync(
                "Copying", meter => VaultCopy.RunAsync(from, to.Backend, options, meter.As<CopyProgress>(p => (p.BytesDone, p.BytesTotal)), cancellationToken));
            return Result(report, context.Time.GetElapsedTime(started));
        });
        return command;
    }

    private static VerbResult Result(CopyReport report, TimeSpan elapsed)
    {
        var json = new JsonObject
        {
            ["blobsCopied"] = report.BlobsCopied,
            ["bytesCopied"] = report.BytesCopied,
            ["packsPresent"] = report.PacksPresent,
            ["blobsRemoved"] = report.BlobsRemoved,
            ["problems"] = new JsonArray([.. report.Problems.Select(JsonNode (problem) => problem)]),
            ["seconds"] = Math.Round(elapsed.TotalSeconds, 3),
        };
        List<string> lines = [$"Copied {Sizes.Count(report.BlobsCopied, "blob")}, {Sizes.Text(report.BytesCopied)}; {Sizes.Count(report.PacksPresent, "pack")} there already; {Sizes.Count(report.BlobsRemoved, "blob")} removed, in {Sizes.Seconds(elapsed)}."];
        lines.AddRange(report.Problems.Select(problem => $"DAMAGE: {problem}"));
        return new(json, lines, report.Problems.Count == 0 ? ExitCodes.Done : ExitCodes.Damage);
    }
}
