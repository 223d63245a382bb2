using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary>Finds the snapshot that the user means: an id, the beginning of one, or <c>latest</c>.</summary>
internal static class SnapshotChoice
{
    public const string Latest = "latest";

    /// <summary>The snapshots of a vault, oldest first.</summary>
    public static IReadOnlyList<Snapshot> InOrder(VaultStore vault) => [.. vault.Snapshots.OrderBy(snapshot => snapshot.LogSequence)];

    /// <summary>The deleted snapshots that can be brought back, oldest first.</summary>
    public static IReadOnlyList<SoftDeletedSnapshot> DeletedInOrder(VaultStore vault) => [.. vault.Governance.SoftDeleted.OrderBy(one => one.Snapshot.LogSequence)];

    /// <exception cref="UsageException">No snapshot, or more than one, is meant.</exception>
    public static Snapshot Find(VaultStore vault, string text, string? item = null)
    {
        var candidates = InOrder(vault).Where(snapshot => item is null || snapshot.ItemId == item).ToList();
        if (text == Latest)
            return candidates.Count > 0 ? candidates[^1] : throw new UsageException(item is null ? "The vault holds no snapshot." : NoneOf(item));
        return FindAmong(candidates, text, "list");
    }

    /// <summary>What to say of an item that is not known.</summary>
    public static string NoneOf(string item) => $"The vault holds no snapshot of '{Shown.Text(item)}'.";

    /// <summary>A deleted snapshot that can be brought back.</summary>
    /// <exception cref="UsageException">No snapshot, or more than one, is meant.</exception>
    public static Snapshot FindDeleted(VaultStore vault, string text) => FindAmong([.. DeletedInOrder(vault).Select(one => one.Snapshot)], text, "list --deleted");

    private static Snapshot FindAmong(List<Snapshot> candidates, string text, string verb)
    {
        var prefix = text.Replace("-", "", StringComparison.Ordinal);
        if (prefix.Length == 0 || !prefix.All(char.IsAsciiHexDigit))
            throw new UsageException($"'{text}' is no snapshot id: give the id, its beginning, or '{Latest}'.");
        var found = candidates.Where(snapshot => Digits(snapshot.Id).StartsWith(prefix, StringComparison.OrdinalIgnoreCase)).ToList();
        return found.Count switch
        {
            1 => found[0],
            0 => throw new StoreException(StoreErrorKind.NotFound, $"There is no snapshot '{text}'. 'strongroom store {verb}' shows those there are."),
            _ => throw new UsageException($"'{text}' is the beginning of {found.Count} snapshot ids, {found[0].Id} and {found[1].Id} among them. Give more of it."),
        };
    }

    /// <summary>What chooses within a snapshot must have something to choose from: whoever names a path in a disk means another snapshot.</summary>
    /// <exception cref="UsageException">The snapshot is of another kind.</exception>
    public static void RequireFits(Snapshot snapshot, string? disk, string? path)
    {
        if (path is not null && snapshot.Trees.Count == 0)
            throw new UsageException($"Snapshot {snapshot.Id} holds no folder, so there is no --path in it.");
        if (disk is not null && snapshot.Images.Count == 0)
            throw new UsageException($"Snapshot {snapshot.Id} holds no disk, so there is no --disk in it.");
    }

    /// <summary>One disk of a snapshot, by name or logical unit number; null is allowed where there is only one.</summary>
    public static SnapshotImage FindImage(Snapshot snapshot, string? disk)
    {
        var images = snapshot.Images;
        if (disk is null)
        {
            return images.Count switch
            {
                1 => images[0],
                0 => throw new UsageException($"Snapshot {snapshot.Id} holds no disk but {SnapshotJson.KindText(snapshot)}. 'restore' and 'cat' read it."),
                _ => throw new UsageException($"Snapshot {snapshot.Id} holds {Sizes.Count(images.Count, "disk")}. Choose with --disk: {Names(snapshot)}."),
            };
        }

        var found = images.Where(image => image.Name == disk).ToList();
        if (found.Count == 0 && int.TryParse(disk, out var lun))
            found = [.. images.Where(image => image.Lun == lun)];
        return found.Count == 1
            ? found[0]
            : throw new UsageException($"'{disk}' names {(found.Count == 0 ? "no disk" : "more than one disk")} of snapshot {snapshot.Id}, which holds {Names(snapshot)}.");
    }

    private static string Names(Snapshot snapshot) => string.Join(", ", snapshot.Images.Select(image => $"'{image.Name}' (LUN {image.Lun})"));

    private static string Digits(SnapshotId id) => id.Value.ToString("N");
}
