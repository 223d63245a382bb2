using System.Security.Cryptography;
using System.Text;
using Strongroom.Store.Trees;

namespace Strongroom.Store.Tests.Fakes;

/// <summary>All that is to be seen of a folder and what is below it, as lines that can be compared.</summary>
internal static class FolderScan
{
    public static List<string> Of(string path)
    {
        var lines = new List<string>();
        var first = new Dictionary<ulong, string>();
        using var folder = FolderHandle.Open(path);
        Scan(folder, "", lines, first);
        return lines;
    }

    private static void Scan(FolderHandle folder, string path, List<string> lines, Dictionary<ulong, string> first)
    {
        lines.Add($"{path}/ {Describe(folder.Stat())} {Attributes(AttributeCalls.Read(folder.Handle))}");
        foreach (var name in folder.ReadNames(CancellationToken.None))
        {
            var stat = folder.Stat(name);
            var below = $"{path}/{Encoding.Latin1.GetString(name)}";
            if (stat.Kind == TreeEntryKind.Folder)
            {
                using var child = folder.OpenFolder(name);
                Scan(child, below, lines, first);
                continue;
            }

            var attributes = Attributes(AttributeCalls.Read(folder, name));
            var content = stat.Kind switch
            {
                TreeEntryKind.File => Content(folder, name),
                TreeEntryKind.SymbolicLink => Convert.ToHexString(folder.ReadLink(name)),
                TreeEntryKind.CharacterDevice or TreeEntryKind.BlockDevice => $"{stat.DeviceMajor}:{stat.DeviceMinor}",
                _ => "",
            };
            var link = stat.Links > 1 ? first.TryAdd(stat.Inode, below) ? $"{stat.Links} names" : $"is {first[stat.Inode]}" : "";
            lines.Add($"{below} {Describe(stat)} {attributes} {content} {link}");
        }
    }

    private static string Describe(FileStat stat) =>
        $"{stat.Kind} {Convert.ToString(stat.Mode, 8)} {stat.UserId}:{stat.GroupId} {stat.ModifiedAt.Seconds}.{stat.ModifiedAt.Nanoseconds:d9}";

    private static string Attributes(IReadOnlyList<ExtendedAttribute> attributes) => string.Join(
        ',', attributes.Select(attribute => $"{Encoding.UTF8.GetString(attribute.Name.Span)}={Convert.ToHexString(attribute.Value.Span)}"));

    private static string Content(FolderHandle folder, byte[] name)
    {
        using var file = folder.OpenFile(name);
        using var stream = new FileStream(file, FileAccess.Read, 0);
        return $"{stream.Length} {Convert.ToHexStringLower(SHA256.HashData(stream))}";
    }
}
