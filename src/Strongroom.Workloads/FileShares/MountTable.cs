using System.Text;

namespace Strongroom.Workloads.FileShares;

/// <summary>What is mounted where (proc(5), /proc/self/mountinfo).</summary>
internal static class MountTable
{
    private const int PathField = 4;

    /// <summary>The paths below a folder that other file systems are mounted on, from the folder; without the folder's own.</summary>
    public static IReadOnlyList<string> Below(string folder) => Below(folder, File.ReadLines("/proc/self/mountinfo"));

    internal static IReadOnlyList<string> Below(string folder, IEnumerable<string> table)
    {
        var prefix = folder.EndsWith('/') ? folder : folder + "/";
        return [.. PathsOf(table).Where(path => path.Length > prefix.Length && path.StartsWith(prefix, StringComparison.Ordinal)).Select(path => path[prefix.Length..]).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>The kind of the file system that a path lies on, such as <c>ext4</c>, or null.</summary>
    public static string? KindOf(string path) => KindOf(path, File.ReadLines("/proc/self/mountinfo"));

    internal static string? KindOf(string path, IEnumerable<string> table)
    {
        // Of several mounts on one path the last one covers the others.
        string? kind = null;
        var longest = -1;
        foreach (var line in table)
        {
            var fields = line.Split(' ');
            var end = Array.IndexOf(fields, "-");
            if (end < PathField || end + 1 >= fields.Length)
                continue;
            var place = Unescape(fields[PathField]);
            if (place.Length >= longest && (place == "/" || path == place || (path.StartsWith(place, StringComparison.Ordinal) && path[place.Length] == '/')))
                (kind, longest) = (fields[end + 1], place.Length);
        }

        return kind;
    }

    private static IEnumerable<string> PathsOf(IEnumerable<string> table) =>
        from line in table
        let fields = line.Split(' ')
        where fields.Length > PathField
        select Unescape(fields[PathField]);

    /// <summary>Blanks, tabs, line ends and backslashes are written as three octal digits.</summary>
    private static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
            return text;
        var plain = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 3 < text.Length)
            {
                plain.Append((char)(((text[i + 1] - '0') << 6) | ((text[i + 2] - '0') << 3) | (text[i + 3] - '0')));
                i += 3;
            }
            else
            {
                plain.Append(text[i]);
            }
        }

        return plain.ToString();
    }
}
