using System.Diagnostics;
using System.Globalization;

namespace Strongroom.Clients.FileBrowsing;

/// <summary>A process of a server that reads file systems.</summary>
internal sealed record ReaderProcess(int Id, string Folder);

/// <summary>Looks at the processes that read file systems, in /proc.</summary>
internal static class ReaderProcesses
{
    /// <summary>Those whose parent is a server.</summary>
    public static IReadOnlyList<ReaderProcess> Of(int server) =>
        [.. from id in Ids()
            let words = CommandLine(id)
            where words is [_, "read-file-systems", _, ..] && ParentOf(id) == server
            select new ReaderProcess(id, words[2])];

    /// <summary>How many virtual machines have something in a reader's folder.</summary>
    public static int MachinesOf(string folder) => Ids().Count(id => CommandLine(id) is [var program, ..] words && program.Contains("qemu-system", StringComparison.Ordinal) && words.Any(w => w.Contains(folder, StringComparison.Ordinal)));

    /// <summary>Waits until the reader, its machine and what was in its folder are gone. The folder itself is in a server's hands that may be gone, too.</summary>
    public static async Task GoneAsync(ReaderProcess reader, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        while (IsLeft(reader.Folder) || MachinesOf(reader.Folder) > 0 || Directory.Exists($"/proc/{reader.Id}") && CommandLine(reader.Id).Length > 0)
        {
            Assert.True(clock.Elapsed < TimeSpan.FromMinutes(2), $"{reader} left something: folder {IsLeft(reader.Folder)}, machines {MachinesOf(reader.Folder)}.");
            await Task.Delay(100, cancellationToken);
        }
    }

    private static bool IsLeft(string folder)
    {
        try { return Directory.EnumerateFileSystemEntries(folder).Any(); }
        catch (DirectoryNotFoundException) { return false; }
    }

    private static IEnumerable<int> Ids() =>
        Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(static n => int.TryParse(n, out _)).Select(static n => int.Parse(n!, CultureInfo.InvariantCulture));

    private static string[] CommandLine(int id)
    {
        try { return File.ReadAllText($"/proc/{id}/cmdline").Split('\0', StringSplitOptions.RemoveEmptyEntries); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return []; }
    }

    private static int ParentOf(int id)
    {
        try { return int.Parse(File.ReadAllText($"/proc/{id}/stat").Split(") ")[^1].Split(' ')[1], CultureInfo.InvariantCulture); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return 0; }
    }
}
