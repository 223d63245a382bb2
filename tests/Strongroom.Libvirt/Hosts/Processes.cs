using System.Diagnostics;
using System.Globalization;

namespace Strongroom.Libvirt.Hosts;

/// <summary>Processes of this machine that are not children of ours, by their ids.</summary>
internal static class Processes
{
    public static IEnumerable<int> All =>
        Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
            .Where(id => id > 0);

    public static IEnumerable<int> ChildrenOf(int parent) => All.Where(id => Stat(id) is [_, var of, ..] && of == parent.ToString(CultureInfo.InvariantCulture));

    /// <summary>Whether the process runs; one that has ended and that nobody has waited for does not.</summary>
    public static bool Runs(int id) => Stat(id) is [not ("Z" or "X"), ..];

    /// <summary>The program and its arguments; empty for a process that has ended.</summary>
    public static IReadOnlyList<string> CommandLineOf(int id) => UnlessGone(() => File.ReadAllText($"/proc/{id}/cmdline"))?.Split('\0') ?? [];

    /// <summary>The name of its process namespace; null for a process that has ended.</summary>
    public static string? NamespaceOf(int id) => UnlessGone(() => new FileInfo($"/proc/{id}/ns/pid").LinkTarget);

    /// <summary>SIGKILL; nothing where the process has ended.</summary>
    public static void Kill(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            process.Kill();
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException)
        {
            // It ended by itself.
        }
    }

    // State, parent and more. The name before them is in parentheses and may hold any character.
    private static string[]? Stat(int id) =>
        UnlessGone(() => File.ReadAllText($"/proc/{id}/stat")) is { } stat ? stat[(stat.LastIndexOf(')') + 2)..].Split(' ') : null;

    private static string? UnlessGone(Func<string?> read)
    {
        try
        {
            return read();
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
