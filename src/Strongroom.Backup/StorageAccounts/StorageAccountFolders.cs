using System.Globalization;
using System.Text.RegularExpressions;

namespace Strongroom.Backup.StorageAccounts;

/// <summary>Storage accounts as folders: <c>{root}/{account}/{container}/{blob}</c>. Restored disks land here and are downloaded from here.</summary>
/// <remarks>Names come from callers: every one is checked against Azure's naming rules before it touches a path, so no name leads out of the root.</remarks>
public sealed partial class StorageAccountFolders(string root)
{
    /// <summary>Begins a container in an empty folder of its own, readable by the server alone and out of sight of downloads until it is published.</summary>
    /// <param name="fence">The job's fence: what runs with smaller ones began is removed, and none of them can touch this one.</param>
    /// <returns>The folder to fill.</returns>
    /// <exception cref="ArgumentException">A name is not one that Azure allows.</exception>
    public string BeginContainer(string account, string container, long fence)
    {
        var path = DraftOf(account, container, fence);
        var folder = Path.GetDirectoryName(path)!;
        var prefix = $".{container}.";
        if (Directory.Exists(folder))
        {
            foreach (var left in Directory.GetDirectories(folder, prefix + "*"))
            {
                if (long.TryParse(Path.GetFileName(left).AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var older) && older <= fence)
                    Directory.Delete(left, true);
            }
        }

        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    /// <summary>Shows a container that was begun, in place of one that an earlier run of the same job may have shown.</summary>
    public void PublishContainer(string account, string container, long fence)
    {
        var draft = DraftOf(account, container, fence);
        DeleteContainer(account, container);
        Directory.Move(draft, PathOf(account, container)!);
    }

    /// <summary>Removes what restores began and never published: called before the first job runs, when none is at work.</summary>
    public void SweepDrafts()
    {
        if (!Directory.Exists(root)) return;
        foreach (var account in Directory.GetDirectories(root))
        {
            foreach (var draft in Directory.GetDirectories(account, ".*")) Directory.Delete(draft, true);
        }
    }

    /// <summary>Removes a container that was begun and not published.</summary>
    public void AbandonContainer(string account, string container, long fence)
    {
        var draft = DraftOf(account, container, fence);
        if (Directory.Exists(draft)) Directory.Delete(draft, true);
    }

    /// <summary>The file of a blob, or null when there is none or the name is not one that Azure allows.</summary>
    public string? FindBlob(string account, string container, string blob)
    {
        if (PathOf(account, container) is not { } folder || !BlobName().IsMatch(blob) || blob is "." or "..") return null;
        var path = Path.Combine(folder, blob);
        var file = new FileInfo(path);
        // A link would be the work of someone on the server, never of a restore.
        return file.Exists && file.LinkTarget is null ? path : null;
    }

    /// <summary>Removes a container with all that is in it.</summary>
    public void DeleteContainer(string account, string container)
    {
        if (PathOf(account, container) is { } path && Directory.Exists(path)) Directory.Delete(path, true);
    }

    /// <summary>Removes all that is stored in an account.</summary>
    public void DeleteAccount(string account)
    {
        var name = account.ToLowerInvariant();
        if (!AccountName().IsMatch(name)) return;
        var path = Path.Combine(root, name);
        if (Directory.Exists(path)) Directory.Delete(path, true);
    }

    private string DraftOf(string account, string container, long fence) => PathOf(account, container) is not null
        ? Path.Combine(root, account, $".{container}.{fence.ToString(CultureInfo.InvariantCulture)}")
        : throw NotAContainer(account, container);

    private static ArgumentException NotAContainer(string account, string container) => new($"'{account}/{container}' is not the name of a container.");

    private string? PathOf(string account, string container) =>
        AccountName().IsMatch(account) && ContainerName().IsMatch(container) ? Path.Combine(root, account, container) : null;

    [GeneratedRegex("^[a-z0-9]{3,24}\\z")]
    private static partial Regex AccountName();

    // Azure's container names are lower case; the service itself names restore containers after the machine, dots and capitals included.
    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9._-]{2,126}\\z")]
    private static partial Regex ContainerName();

    [GeneratedRegex("^[A-Za-z0-9._-]{1,254}\\z")]
    private static partial Regex BlobName();
}
