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
        var target = new Option<string?>("--to") { Description = "The file or folder to write, which must not be there yet; without it the name that it has, in the current folder." };
        var format = new Option<string?>("--format") { Description = "Write an archive, tar or zip, instead of what it holds." };
        format.AcceptOnlyFromAmong("tar", "zip");
        var verb = new FilesVerb("get", "Fetch a file, or a folder with all that is in it.", isPathNeeded: true) { target, format };
        verb.SetVerb(async (parsed, files, path, console, cancellationToken) =>
        {
            var archive = parsed.GetValue(format);
            var to = TargetOf(parsed.GetValue(target) ?? NameOf(path, files.Name) + (archive is null ? "" : "." + archive));
            var isRoot = path.Trim('/').Length == 0;
            string[] leftOut = isRoot ? [.. (await files.ListAsync(path, cancellationToken)).Where(static v => v.Text("unreadable") is not null).Select(LeftOut)] : [];
            if (archive is null && (isRoot || await files.IsFolderAsync(path, cancellationToken)))
            {
                using var folder = await files.DownloadAsync(path, "tar", cancellationToken);
                return await console.TrackAsync("Fetching", meter => FolderAsync(folder, to, isRoot, leftOut, meter, cancellationToken));
            }

            using var file = await files.DownloadAsync(path, archive, cancellationToken);
            return await console.TrackAsync("Fetching", meter => FileAsync(file, to, leftOut, meter, cancellationToken));
        });
        return verb;
    }

    private static string LeftOut(JsonNode volume) => Shown.Text($"Left out: /{volume.Text("name")}. {volume.Text("unreadable")}");

    /// <exception cref="UsageException">Its folder is not there.</exception>
    /// <exception cref="IOException">It is there.</exception>
    private static string TargetOf(string name)
    {
        var to = Path.GetFullPath(name);
        if (new FileInfo(to) is { Exists: true } or { LinkTarget: not null } || Directory.Exists(to)) throw new IOException($"'{Shown.Text(to)}' is there already. Name another place with --to.");
        return Path.GetDirectoryName(to) is { } folder && !Directory.Exists(folder) ? throw new UsageException($"There is no folder '{Shown.Text(folder)}'. Make it first, or check --to.") : to;
    }

    /// <summary>What the path calls it; where that is no name here, another.</summary>
    private static string NameOf(string path, string point)
    {
        var name = Uri.UnescapeDataString(path.TrimEnd('/').Split('/')[^1]);
        return name is "" or "." or ".." || name.Any(static c => c is '/' or '\0' || char.IsControl(c)) ? point : name;
    }

    private static async Task<VerbResult> FileAsync(HttpResponseMessage answer, string to, IReadOnlyList<string> leftOut, ProgressMeter meter, CancellationToken cancellationToken)
    {
        await using var content = new CountedStream(await answer.Content.ReadAsStreamAsync(cancellationToken), meter, answer.Content.Headers.ContentLength);
        return Done(to, await WholeFile.WriteAsync(content, to, ModeOf(answer), answer.Content.Headers.LastModified, cancellationToken), leftOut);
    }

    /// <summary>Who may do what, without setuid, setgid and sticky; null where the answer does not tell.</summary>
    private static UnixFileMode? ModeOf(HttpResponseMessage answer) =>
        answer.Headers.TryGetValues("x-ms-mode", out var values) && values.First() is { Length: 4 } text && text.All(static c => c is >= '0' and <= '7') ? (UnixFileMode)(Convert.ToInt32(text, 8) & 0x1FF) : null;

    private static async Task<VerbResult> FolderAsync(HttpResponseMessage answer, string to, bool isRoot, IReadOnlyList<string> leftOut, ProgressMeter meter, CancellationToken cancellationToken)
    {
        await using var content = new CountedStream(await answer.Content.ReadAsStreamAsync(cancellationToken), meter, null);
        var unpacked = await TarExtraction.RunAsync(content, to, isRoot, cancellationToken);
        return Done(to, unpacked.Bytes, [.. leftOut, .. unpacked.Notes]);
    }

    private static VerbResult Done(string to, long bytes, IReadOnlyList<string> notes) => new(
        new JsonObject { ["path"] = to, ["bytes"] = bytes, ["notes"] = new JsonArray([.. notes.Select(static n => (JsonNode)n)]) },
        [.. notes, $"{Shown.Text(to)}: {Sizes.Text(bytes)}"]);
}
