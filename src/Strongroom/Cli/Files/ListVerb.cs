using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Strongroom.Cli.Store;
using Strongroom.Client;

namespace Strongroom.Cli.Files;

/// <summary><c>strongroom files ls</c>: what a folder of a recovery point holds.</summary>
internal static class ListVerb
{
    public static Command Create()
    {
        var verb = new FilesVerb("ls", "Show what a folder in a recovery point holds; / for its volumes.", isPathNeeded: false);
        verb.SetVerb(static async (_, files, path, _, cancellationToken) =>
        {
            var entries = await files.ListAsync(path, cancellationToken);
            return new(
                new JsonObject { ["recoveryPoint"] = files.Name, ["entries"] = new JsonArray([.. entries.Select(static e => e.DeepClone())]) },
                [.. entries.Select(static e => e.Text("type") == "volume" ? Volume(e) : Line(e))]);
        });
        return verb;
    }

    private static string Volume(JsonNode entry)
    {
        var label = entry.Text("label") is { } text ? $" \"{Shown.Text(text)}\"" : "";
        var reason = entry.Text("unreadable") is { } why ? "  " + Shown.Text(why) : "";
        return string.Create(CultureInfo.InvariantCulture, $"{entry.Text("name"),-16} {Shown.Text(entry.Text("fileSystem") ?? ""),-12} {Sizes.Text(Size(entry)),9}{label}{reason}");
    }

    private static string Line(JsonNode entry)
    {
        var time = entry.Text("lastModified") is { } text && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out var at) ? Sizes.Time(at) : "-";
        var target = entry.Text("linkTarget") is { } link ? " -> " + Shown.Text(link) : "";
        return string.Create(CultureInfo.InvariantCulture,
            $"{Mode(entry)} {entry.Number("uid") ?? 0,5} {entry.Number("gid") ?? 0,5} {Size(entry),12} {time,19} {Shown.Text(entry.Text("name") ?? "")}{target}");
    }

    private static long Size(JsonNode entry) => (long)(entry.Number("size") ?? 0);

    /// <summary>As ls(1) shows it: <c>-rwsr-x---</c>.</summary>
    private static string Mode(JsonNode entry)
    {
        var mode = 0;
        foreach (var digit in (entry.Text("mode") ?? "").Where(static c => c is >= '0' and <= '7').Take(4)) mode = (mode * 8) + digit - '0';
        var kind = entry.Text("type") switch { "directory" => 'd', "symlink" => 'l', "fifo" => 'p', "socket" => 's', "characterDevice" => 'c', "blockDevice" => 'b', "file" => '-', _ => '?' };
        return $"{kind}{Triple(mode >> 6, (mode & 0x800) != 0, 's')}{Triple(mode >> 3, (mode & 0x400) != 0, 's')}{Triple(mode, (mode & 0x200) != 0, 't')}";
    }

    private static string Triple(int bits, bool isSpecial, char special)
    {
        var execute = (bits & 1) != 0;
        return $"{((bits & 4) != 0 ? 'r' : '-')}{((bits & 2) != 0 ? 'w' : '-')}{(isSpecial ? execute ? special : char.ToUpperInvariant(special) : execute ? 'x' : '-')}";
    }
}
