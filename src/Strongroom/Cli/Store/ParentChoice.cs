using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary>Which snapshot a new one is compared with.</summary>
internal static class ParentChoice
{
    /// <summary>What <c>--parent</c> says when nothing is to be compared.</summary>
    public const string None = "none";

    /// <param name="text">What <c>--parent</c> says; null for the newest of the item.</param>
    /// <param name="isSuitable">Whether a snapshot of the item holds something of the same kind.</param>
    /// <exception cref="UsageException">The text names no snapshot, or one of another kind.</exception>
    public static Snapshot? Find(VaultStore vault, string? text, string item, Func<Snapshot, bool> isSuitable)
    {
        if (text == None)
            return null;
        if (text is null)
            return SnapshotChoice.InOrder(vault).LastOrDefault(candidate => candidate.ItemId == item && isSuitable(candidate));
        var snapshot = SnapshotChoice.Find(vault, text, text == SnapshotChoice.Latest ? item : null);
        return isSuitable(snapshot) ? snapshot : throw new UsageException($"Snapshot {snapshot.Id} holds nothing of the kind that is backed up, so it cannot be the parent.");
    }
}
