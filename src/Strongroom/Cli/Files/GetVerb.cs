using System.CommandLine;
using System.Text.Json.Nodes;
using Strongroom.Cli.Store;
using Strongroom.Client;

namespace Strongroom.Cli.Files;

/// <summary><c>strongroom files get</c>: a file, a folder with all that is in it, or an archive of it.</summary>
internal static class GetVerb
{
    public static Command Create()
    {
        var target = new Option<string?>("--to", "-o") { Description = "The file or folder to write, which must not be there yet; without it the name that it has, in the current folder." };
        var format = new Option<string?>("--format") { Description = "Write an archive, tar or zip, instead of what it holds." };
        format.AcceptOnlyFromAmong("tar", "zip");
        var verb = new FilesVerb("get", "Fetch a file, or a folder with all that is in it.") { target, format };
        verb.SetVerb(async (parsed, files, path, console, cancellationToken) =>
        {
            var archive = parsed.GetValue(format);
            using var answer = await AnswerAsync(files, path, archive, cancellationToken);
            var isFolder = archive is null && answer.Content.Headers.ContentType?.MediaType == "application/x-tar" && answer.Content.Headers.ContentLength is null;
            var to = Path.GetFullPath(parsed.GetValue(target) ?? NameOf(path, files.Name) + (archive is null ? "" : "." + archive));
            if (File.Exists(to) || Directory.Exists(to)) throw new IOException($"'{Shown.Text(to)}' is there already. Name another place with --to.");
            return await console.TrackAsync("Fetching", meter => isFolder ? FolderAsync(answer, to, meter, cancellationToken) : FileAsync(answer, to, meter, cancellationToken));
        });
        return verb;
    }

    /// <summary>The file; where it is none, and no archive was asked for, a tar of what it is.</summary>
    private static async Task<HttpResponseMessage> AnswerAsync(PointFiles files, string path, string? format, CancellationToken cancellationToken)
    {
        try
        {
            return await files.DownloadAsync(path, format, cancellationToken);
        }
        catch (ArmRequestException refused) when (refused.Code == "NotAFile" && format is null)
        {
            return await files.DownloadAsync(path, "tar", cancellationToken);
        }
    }

    /// <summary>What the path calls it; where that is no name here, another.</summary>
    private static string NameOf(string path, string point)
    {
        var name = Uri.UnescapeDataString(path.TrimEnd('/').Split('/')[^1]);
        return name is "" or "." or ".." || name.Any(static c => c is '/' or '\0' || char.IsControl(c)) ? point : name;
    }

    private static async Task<VerbResult> FileAsync(HttpResponseMessage answer, string to, ProgressMeter meter, CancellationToken cancellationToken)
    {
        await using var content = new CountedStream(await answer.Content.ReadAsStreamAsync(cancellationToken), meter, answer.Content.Headers.ContentLength);
        return Done(to, await WholeFile.WriteAsync(content, to, cancellationToken), []);
    }

    private static async Task<VerbResult> FolderAsync(HttpResponseMessage answer, string to, ProgressMeter meter, CancellationToken cancellationToken)
    {
        await using var content = new CountedStream(await answer.Content.ReadAsStreamAsync(cancellationToken), meter, null);
        var unpacked = await TarExtraction.RunAsync(content, to, cancellationToken);
        return Done(to, unpacked.Bytes, unpacked.Notes);
    }

    private static VerbResult Done(string to, long bytes, IReadOnlyList<string> notes) => new(
        new JsonObject { ["path"] = to, ["bytes"] = bytes, ["notes"] = new JsonArray([.. notes.Select(static n => (JsonNode)n)]) },
        [.. notes, $"{Shown.Text(to)}: {Sizes.Text(bytes)}"]);
}
