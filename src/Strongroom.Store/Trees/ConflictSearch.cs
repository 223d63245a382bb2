using Strongroom.Store.Manifests;

namespace Strongroom.Store.Trees;

/// <summary>Finds what a restore would meet in its target that is no folder to be filled. Changes nothing.</summary>
internal sealed class ConflictSearch
{
    private const int Named = 10;
    private readonly List<TreePath> found = [];
    private long count;

    /// <exception cref="StoreException">InvalidRequest: something is there; the message names up to 10 and says how many there are.</exception>
    public static async ValueTask RequireNoneAsync(
        ManifestReader tree, OpenFolders open, IReadOnlyList<RestorePart> parts, string target, CancellationToken cancellationToken)
    {
        var search = new ConflictSearch();
        foreach (var part in parts)
        {
            if (part.Entry is not null)
                await search.SearchAsync(tree, open, part, cancellationToken);
        }

        if (search.count == 0)
            return;
        var more = search.count > Named ? $" and {search.count - Named} more" : "";
        throw new StoreException(
            StoreErrorKind.InvalidRequest,
            $"Nothing was restored, because '{target}' has {search.count} of the files already: {string.Join(", ", search.found)}{more}.");
    }

    private async ValueTask SearchAsync(ManifestReader tree, OpenFolders open, RestorePart part, CancellationToken cancellationToken)
    {
        var folder = open.Root;
        foreach (var name in part.Selection.Folder.Names())
        {
            if (Enter(open, folder, name) is not { } below)
                return;
            folder = below;
        }

        var way = new Stack<(WalkedFolder Folder, FolderCursor Entries)>();
        way.Push((folder, part.IsContent ? await FolderCursor.OpenReadableAsync(tree, part.Entry!, cancellationToken) : FolderCursor.Of(part.Entry!)));
        while (way.TryPeek(out var at))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (await at.Entries.NextReadableAsync(cancellationToken) is not { } entry)
                way.Pop();
            else if (entry.Kind == TreeEntryKind.Folder)
            {
                if (Enter(open, at.Folder, entry.Name.ToArray()) is { } below)
                    way.Push((below, await FolderCursor.OpenReadableAsync(tree, entry, cancellationToken)));
            }
            else if (IsThere(open, at.Folder, entry.Name.Span))
            {
                Add(at.Folder.PathOf(entry.Name.Span));
            }
        }
    }

    /// <summary>The folder that is there; null when there is none, be it that nothing is or something else.</summary>
    private WalkedFolder? Enter(OpenFolders open, WalkedFolder folder, byte[] name)
    {
        using var lease = open.Use(folder);
        if (lease.Handle.TryStat(name) is null)
            return null;
        if (lease.Handle.TryOpenFolder(name) is { } handle)
            return open.Enter(folder, name, handle);
        Add(folder.PathOf(name));
        return null;
    }

    private static bool IsThere(OpenFolders open, WalkedFolder folder, ReadOnlySpan<byte> name)
    {
        using var lease = open.Use(folder);
        return lease.Handle.TryStat(name) is not null;
    }

    private void Add(TreePath path)
    {
        if (count++ < Named)
            found.Add(path);
    }
}
