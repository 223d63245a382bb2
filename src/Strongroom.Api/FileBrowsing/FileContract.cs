using System.Globalization;
using System.Text.Json.Nodes;
using Strongroom.Backup.FileRecovery.Browsing;

namespace Strongroom.Api.FileBrowsing;

/// <summary>An entry of a recovery point on the wire (docs/file-browsing.md).</summary>
internal static class FileContract
{
    public static JsonObject ToJson(FilePath folder, FileEntry entry)
    {
        JsonObject json = new()
        {
            ["name"] = entry.Text,
            // Told even where it is longer than a path may be: the others of its folder are listed all the same.
            ["path"] = $"{folder.Encoded.TrimEnd('/')}/{FilePath.Encode(entry.Name.Span)}",
            ["type"] = TypeOf(entry.Kind),
            ["size"] = entry.SizeBytes,
        };
        if (entry.Volume is { } volume)
        {
            json["fileSystem"] = volume.FileSystem;
            if (volume.Label is not null) json["label"] = volume.Label;
            if (volume.Unreadable is not null) json["unreadable"] = volume.Unreadable;
            return json;
        }

        if (entry.Kind == FileKind.Unknown) return json;
        if (entry.ModifiedAt is { } time) json["lastModified"] = time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);
        json["mode"] = Convert.ToString(entry.Mode, 8).PadLeft(4, '0');
        json["uid"] = entry.UserId;
        json["gid"] = entry.GroupId;
        if (entry.Kind == FileKind.SymbolicLink)
        {
            json["linkTarget"] = System.Text.Encoding.UTF8.GetString(entry.LinkTarget.Span);
        }
        return json;
    }

    private static string TypeOf(FileKind kind) => kind switch
    {
        FileKind.Volume => "volume",
        FileKind.File => "file",
        FileKind.Directory => "directory",
        FileKind.SymbolicLink => "symlink",
        FileKind.Fifo => "fifo",
        FileKind.Socket => "socket",
        FileKind.CharacterDevice => "characterDevice",
        FileKind.BlockDevice => "blockDevice",
        _ => "unknown",
    };
}
