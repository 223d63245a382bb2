using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Strongroom.Backup.Machines;
using Strongroom.Blocks;

namespace Strongroom.Workloads.VirtualMachines.Folder.Restores;

/// <summary>
/// The hidden folder beside a machine's own in which a restore is made, and into which the old one goes: <c>.strongroom-restore-{job}.{fence}</c>.
/// </summary>
internal static class RestoreStage
{
    private const string Prefix = ".strongroom-restore-";

    /// <summary>Makes an empty stage, and removes those of earlier runs of the job.</summary>
    /// <returns>Its path.</returns>
    public static string Create(string parent, HostRun run)
    {
        foreach (var left in Find(parent).Where(left => left.JobId == run.JobId && left.Fence <= run.Fence)) Directory.Delete(left.Path, recursive: true);
        var path = Path.Combine(parent, $"{Prefix}{run.JobId:N}.{run.Fence.ToString(CultureInfo.InvariantCulture)}");
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    /// <summary>The stages in a folder; links are none.</summary>
    public static IEnumerable<(string Path, Guid JobId, long Fence)> Find(string parent)
    {
        foreach (var path in Directory.GetDirectories(parent, Prefix + "*"))
        {
            if (TryParse(Path.GetFileName(path), out var found) && new DirectoryInfo(path).LinkTarget is null) yield return (path, found.Value.JobId, found.Value.Fence);
        }
    }

    /// <summary>Ends a replacement after the folders changed places: what the old folder has beside the new one's is brought over, and the old one goes.</summary>
    /// <param name="old">The stage, which holds what the machine's folder was.</param>
    /// <param name="folder">The machine's folder, with its marker.</param>
    public static void Finish(string old, string folder, RestoreMarker marker)
    {
        foreach (var path in Directory.GetFileSystemEntries(old))
        {
            var name = Path.GetFileName(path);
            if (name == RestoreMarker.FileName || marker.Disks.Contains(name, StringComparer.Ordinal)) continue;
            var place = Path.Combine(folder, name);
            if (!IsThere(place)) FolderChanges.MoveNew(path, place);
            // Written anew under its name between the look at the folder and the exchange.
            else if (IsAnother(path, place)) File.Move(path, place, overwrite: true);
        }

        FolderChanges.Synchronise(folder);
        Directory.Delete(old, recursive: true);
    }

    private static bool IsThere(string path) => new FileInfo(path) is { Exists: true } or { LinkTarget: not null } || Directory.Exists(path);

    private static bool IsAnother(string path, string place)
    {
        if (new FileInfo(path) is not { Exists: true, LinkTarget: null } || Directory.Exists(place)) return false;
        using var first = PathHandle.Open(path);
        using var second = PathHandle.Open(place);
        return (first.Identity.Device, first.Identity.Inode) != (second.Identity.Device, second.Identity.Inode);
    }

    private static bool TryParse(string name, [NotNullWhen(true)] out (Guid JobId, long Fence)? stage)
    {
        stage = null;
        var parts = name[Prefix.Length..].Split('.');
        if (parts.Length != 2 || !Guid.TryParseExact(parts[0], "N", out var job) || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var fence)) return false;
        stage = (job, fence);
        return true;
    }
}
