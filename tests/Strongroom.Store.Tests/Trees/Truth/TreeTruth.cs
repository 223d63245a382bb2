using System.Security.Cryptography;
using System.Text;

namespace Strongroom.Store.Tests.Trees.Truth;

/// <summary>All that a full walk sees of a folder: lines that are the same where the folders are, and how much room sparse files take.</summary>
internal sealed class TreeTruth
{
    private const int BlockBytes = 512;

    // A file system may keep a block of its own for a file in many pieces, or extend a run of blocks.
    private const long SlackBlocks = 64;
    private readonly SortedDictionary<string, string> lines = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> sparseBlocks = [];
    private readonly Dictionary<ulong, string> firstNames = [];

    public static TreeTruth Of(string folder)
    {
        var truth = new TreeTruth();
        var pending = new Stack<(RawPath Path, string Name)>();
        pending.Push((new(folder), ""));
        while (pending.TryPop(out var next))
        {
            var stat = next.Path.Stat();
            truth.Add(next.Path, next.Name, stat);
            if (stat.Type != RawStat.Folder)
                continue;

            // The first name of a file is the same in both walks.
            foreach (var name in next.Path.Names().OrderByDescending(Encoding.Latin1.GetString, StringComparer.Ordinal))
                pending.Push((next.Path.Join(name), $"{next.Name}/{Encoding.Latin1.GetString(name)}"));
        }

        return truth;
    }

    /// <summary>Fails with what differs first. Holes may have become larger, never smaller.</summary>
    public void RequireSame(TreeTruth other)
    {
        foreach (var (name, line) in lines)
            Assert.True(other.lines.TryGetValue(name, out var found) && found == line, $"'{name}' is\n{found}\nand not\n{line}");
        foreach (var (name, line) in other.lines)
            Assert.True(lines.ContainsKey(name), $"'{name}' should not be there: {line}");
        foreach (var (name, blocks) in sparseBlocks)
            Assert.True(other.sparseBlocks.GetValueOrDefault(name, long.MaxValue - SlackBlocks) <= blocks + SlackBlocks, $"'{name}' takes more room than it did.");
    }

    private void Add(RawPath path, string name, RawStat stat)
    {
        var content = stat.Type switch
        {
            RawStat.File => Content(path),
            RawStat.SymbolicLink => Link(path),
            _ => $"{stat.Major}:{stat.Minor}",
        };
        var links = stat.Type == RawStat.Folder ? "" : $"{stat.Links} names, {(firstNames.TryAdd(stat.Inode, name) ? "the first" : firstNames[stat.Inode])}";
        var length = stat.Type == RawStat.File ? stat.Length : 0;
        lines.Add(name, $"{Convert.ToString(stat.Mode, 8)} {stat.User}:{stat.Group} {length} bytes {stat.Modified} [{Attributes(path)}] {content} {links}");
        if (stat.Type == RawStat.File && stat.Blocks * BlockBytes < stat.Length)
            sparseBlocks.Add(name, stat.Blocks);
    }

    private static string Content(RawPath path)
    {
        using var file = new FileStream(path.Open(0), FileAccess.Read);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    private static string Link(RawPath path)
    {
        var target = new byte[4096];
        var length = (int)RawCalls.ReadLink(path.Terminated, target, target.Length);
        return Convert.ToHexStringLower(target.AsSpan(0, length));
    }

    private static string Attributes(RawPath path)
    {
        var names = new byte[64 << 10];
        var length = (int)RawCalls.ListAttributes(path.Terminated, names, names.Length);
        if (length <= 0)
            return "";
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in Encoding.Latin1.GetString(names, 0, length).Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            var value = new byte[64 << 10];
            var valueLength = (int)RawCalls.GetAttribute(path.Terminated, Encoding.Latin1.GetBytes(name + '\0'), value, value.Length);
            Assert.True(valueLength >= 0, $"The attribute {name} of {path} cannot be read.");
            found.Add(name, Convert.ToHexStringLower(value.AsSpan(0, valueLength)));
        }

        return string.Join(", ", found.Select(attribute => $"{attribute.Key}={attribute.Value}"));
    }
}
