using Strongroom.Store.Manifests;

namespace Strongroom.Store.Trees;

/// <summary>Finds what a restore would meet at a target that is no folder to be filled. Changes nothing.</summary>
internal sealed class TargetConflicts(ITreeTarget target)
{
    private const int Named = 10;
    private readonly List<TreePath> found = [];
    private long count;

    /// <exception cref="StoreException">InvalidRequest: something is there; the message names up to 10 and says how many there are.</exception>
    public static async ValueTask RequireNoneAsync(ManifestReader tree, ITreeTarget target, IReadOnlyList<RestorePart> parts, CancellationToken cancellationToken)
    {
        var search = new TargetConflicts(target);
        foreach (var part in parts)
        {
            if (part.Entry is not null)
                await search.SearchAsync(tree, part, cancellationToken);
        }

        if (search.count == 0)
            return;
        var more = search.count > Named ? $" and {search.count - Named} more" : "";
        throw new StoreException(StoreErrorKind.InvalidRequest, $"Nothing was restored, because {search.count} of the files are there already: {string.Join(", ", search.found)}{more}.");
    }

    private async ValueTask SearchAsync(ManifestReader tree, RestorePart part, CancellationToken cancellationToken)
    {
        var path = default(TreePath);
        foreach (var name in part.Selection.Folder.Names())
        {
            path = path.Join(name);
            if (!await IsFolderAsync(path, name, cancellationToken))
                return;
        }

        var way = new Stack<(TreePath Path, FolderCursor Entries)>();
        way.Push((path, part.IsContent ? await FolderCursor.OpenReadableAsync(tree, part.Entry!, cancellationToken) : FolderCursor.Of(part.Entry!)));
        while (way.TryPeek(out var at))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (await at.Entries.NextReadableAsync(cancellationToken) is not { } entry)
                way.Pop();
            else if (entry.Kind != TreeEntryKind.Folder)
                await RequireFreeAsync(at.Path.Join(entry.Name.Span), entry, cancellationToken);
            else if (at.Path.Join(entry.Name.Span) is var below && await IsFolderAsync(below, entry.Name.ToArray(), cancellationToken))
                way.Push((below, await FolderCursor.OpenReadableAsync(tree, entry, cancellationToken)));
        }
    }

    /// <summary>False when there is none, be it that nothing is or something else.</summary>
    private async ValueTask<bool> IsFolderAsync(TreePath path, byte[] name, CancellationToken cancellationToken)
    {
        if (target.Refuse(TreeEntryKind.Folder, name) is not null || await target.FindAsync(path, cancellationToken) is not { } there)
            return false;
        if (!there.IsFolder)
            Add(path);
        return there.IsFolder;
    }

    private async ValueTask RequireFreeAsync(TreePath path, TreeEntry entry, CancellationToken cancellationToken)
    {
        // What there cannot be there, the restore names.
        if (target.Refuse(entry.Kind, entry.Name.Span) is null && await target.FindAsync(path, cancellationToken) is not null)
            Add(path);
    }

    private void Add(TreePath path)
    {
        if (count++ < Named)
            found.Add(path);
    }
}
