using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Strongroom.Store.Simulation.PowerCut;

/// <summary>A call that changed the file system, as <c>strace -f -y -xx</c> saw it return.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Path">The file or folder of its descriptor, or its first path; for calls with <c>at</c> that is absolute here.</param>
/// <param name="SecondPath">Its second path, if it has one.</param>
/// <param name="Data">What was written.</param>
/// <param name="OffsetBytes">Where; -1 for a stream.</param>
/// <param name="IsCreation">For an opening: of a file that was not there.</param>
internal sealed partial record SystemCall(string Name, string Path, string SecondPath, byte[] Data, long OffsetBytes, bool IsCreation)
{
    public const string Traced = "open,openat,creat,write,pwrite64,writev,pwritev,ftruncate,fallocate,fsync,fdatasync,sync_file_range,link,linkat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir";

    /// <summary>The calls of a trace that succeeded, in the order of their return.</summary>
    public static IEnumerable<SystemCall> Read(IEnumerable<string> lines)
    {
        var unfinished = new Dictionary<string, string>();
        foreach (var line in lines)
        {
            var (thread, rest) = (line.Split(' ', 2)[0], line.Split(' ', 2)[1].TrimStart());
            if (rest.EndsWith("<unfinished ...>", StringComparison.Ordinal))
            {
                unfinished[thread] = rest[..^"<unfinished ...>".Length].TrimEnd();
                continue;
            }

            if (Resumed().Match(rest) is { Success: true } resumed)
                rest = unfinished.Remove(thread, out var begun) ? begun + rest[resumed.Length..] : "";
            if (Whole().Match(rest) is { Success: true } whole && Parse(whole.Groups[1].Value, whole.Groups[2].Value, rest) is { } call)
                yield return call;
        }
    }

    private static SystemCall? Parse(string name, string arguments, string whole)
    {
        var strings = Quoted().Matches(arguments).Select(match => Unescape(match.Groups[1].Value)).ToList();
        var paths = strings.Select(bytes => Encoding.UTF8.GetString(bytes)).ToList();
        var descriptor = Encoding.UTF8.GetString(Unescape(Descriptor().Match(arguments).Groups[1].Value));
        return name switch
        {
            "open" or "openat" or "creat" => new(name, paths[0], "", [], 0, arguments.Contains("O_CREAT", StringComparison.Ordinal) || name == "creat"),
            "write" => new(name, descriptor, "", strings[0], -1, false),
            "pwrite64" => new(name, descriptor, "", strings[0], long.Parse(arguments[(arguments.LastIndexOf(',') + 1)..], CultureInfo.InvariantCulture), false),
            "fsync" or "fdatasync" => new("fsync", descriptor, "", [], 0, false),
            "link" or "linkat" or "rename" or "renameat" or "renameat2" => new(name[..4], paths[0], paths[1], [], 0, false),
            "unlink" or "unlinkat" or "mkdir" or "mkdirat" or "rmdir" => new(name[..5], paths[0], "", [], 0, false),
            "ftruncate" or "writev" or "pwritev" => new(name, descriptor, "", [], 0, false),
            "fallocate" or "sync_file_range" => null,
            _ => throw new NotSupportedException($"The model does not know this call: {whole[..Math.Min(whole.Length, 200)]}"),
        };
    }

    private static byte[] Unescape(string text)
    {
        if (!text.StartsWith("\\x", StringComparison.Ordinal))
            return Encoding.UTF8.GetBytes(text);
        var bytes = new byte[text.Length / 4];
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] = byte.Parse(text.AsSpan((i * 4) + 2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        return bytes;
    }

    [GeneratedRegex(@"^<\.\.\. \w+ resumed>")]
    private static partial Regex Resumed();

    [GeneratedRegex(@"^(\w+)\((.*)\)\s+= \d+", RegexOptions.Singleline)]
    private static partial Regex Whole();

    [GeneratedRegex("\"((?:[^\"\\\\]|\\\\.)*)\"")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"^\d+<([^>]*)>")]
    private static partial Regex Descriptor();
}
