namespace Strongroom.Store.Trees;

/// <summary>Makes the entries of a source's files and folders. Thread-safe.</summary>
/// <remarks>What a source does not know is chosen so that a restore into a folder of this machine gives nobody more than he had: the owner is root, and only he may read.</remarks>
internal sealed class SourceFiles(FileEntries entries, SourceContent content, ITreeSource source)
{
    private const int FileMode = 0x180; // 0600
    private const int FolderMode = 0x1C0; // 0700

    public FileEntries Entries => entries;

    /// <summary>What is compared with an earlier backup.</summary>
    public static FileStat StatOf(SourceItem item) => StatOf(item, item.State);

    /// <summary>The entry of a folder, without what is in it.</summary>
    public async ValueTask<TreeEntry> DescribeFolderAsync(TreePath path, SourceItem item, TreeEntry? parent, CancellationToken cancellationToken)
    {
        var entry = Describe(StatOf(item), item.Name);
        if (parent is { Kind: TreeEntryKind.Folder } && IsSettledAs(parent, item))
            return entry with { Attributes = parent.Attributes };
        var attributes = await GuardAsync(path, item, cancellationToken);
        return entry with { Attributes = attributes ?? item.Attributes, Flags = FlagsOf(item.State, attributes is not null) };
    }

    /// <summary>The entry of a file. Its content is read unless the parent has it unchanged, and its attributes unless the change time vouches for them.</summary>
    public async Task<TreeEntry?> ReadAsync(TreePath path, SourceItem item, TreeEntry? parent, CancellationToken cancellationToken)
    {
        if (parent is not null && await entries.IsUnchangedAsync(parent, StatOf(item), cancellationToken))
            return entries.TakeUnchanged(await WithAttributesAsync(path, item, parent, cancellationToken), 0);
        try
        {
            if (item.Obstacle is { } obstacle)
                throw new IOException(obstacle);
            await using var file = await source.OpenAsync(path, cancellationToken);
            var read = await content.ReadAsync(file, await entries.ReadParentNodesAsync(parent, cancellationToken), IsSettled, cancellationToken);
            if (read.HasChanged)
                entries.Problems.Add(path, "The file changed each time that it was read: its content may be of two moments.");
            var attributes = await GuardAsync(path, item, cancellationToken);
            return entries.Count(Describe(StatOf(item, read.State), item.Name) with
            {
                Attributes = attributes ?? item.Attributes,
                Flags = FlagsOf(read.State, attributes is not null && read.WasSettled) | (read.HasChanged ? TreeEntryFlags.ChangedWhileRead : 0),
                Inline = read.Inline,
                Stream = read.Stream,
            });
        }
        catch (IOException failure)
        {
            entries.Problems.Add(path, $"The file cannot be read: {failure.Message}.");
            return entries.Count(Describe(StatOf(item), item.Name));
        }
    }

    private static FileStat StatOf(SourceItem item, SourceState state) => new(
        item.Kind, item.Kind == TreeEntryKind.Folder ? FolderMode : FileMode, 1, 0, 0, item.Inode, 0, state.LengthBytes, state.LengthBytes, item.BornAt, state.ChangedAt, state.ModifiedAt, 0, 0);

    private static TreeEntry Describe(FileStat stat, ReadOnlyMemory<byte> name) => new()
    {
        Kind = stat.Kind,
        Name = name,
        Mode = stat.Mode,
        ModifiedAt = stat.ModifiedAt,
        ChangedAt = stat.ChangedAt,
        Inode = stat.Inode,
    };

    /// <summary>The parent's entry, with the attributes that the file has now.</summary>
    private async ValueTask<TreeEntry> WithAttributesAsync(TreePath path, SourceItem item, TreeEntry parent, CancellationToken cancellationToken)
    {
        if (IsSettledAs(parent, item))
            return parent;
        return await GuardAsync(path, item, cancellationToken) is not { } attributes
            ? parent with { Flags = parent.Flags | TreeEntryFlags.NotSettled }
            : AreEqual(parent.Attributes, attributes) ? parent : parent with { Attributes = attributes };
    }

    /// <summary>True when the change time, and what the listing tells, say that the attributes are the parent's still.</summary>
    private bool IsSettledAs(TreeEntry parent, SourceItem item) =>
        item.ShowsChanges
        && (parent.Flags & TreeEntryFlags.NotSettled) == 0
        && (parent.Inode, parent.ModifiedAt, parent.ChangedAt) == (item.Inode, item.State.ModifiedAt, item.State.ChangedAt)
        && item.Attributes.All(told => parent.Attributes.Any(kept => IsEqual(told, kept)))
        && source.IsWhole(parent.Attributes);

    private static bool AreEqual(IReadOnlyList<ExtendedAttribute> some, IReadOnlyList<ExtendedAttribute> others) =>
        some.Count == others.Count && some.Zip(others).All(pair => IsEqual(pair.First, pair.Second));

    private static bool IsEqual(ExtendedAttribute one, ExtendedAttribute other) => one.Name.Span.SequenceEqual(other.Name.Span) && one.Value.Span.SequenceEqual(other.Value.Span);

    private TreeEntryFlags FlagsOf(SourceState state, bool isWhole) =>
        isWhole && IsSettled(state) ? TreeEntryFlags.None : TreeEntryFlags.NotSettled;

    private bool IsSettled(SourceState state) => entries.IsSettled(state.ChangedAt) && entries.IsSettled(state.ModifiedAt);

    /// <summary>Null when they cannot be read.</summary>
    private async ValueTask<IReadOnlyList<ExtendedAttribute>?> GuardAsync(TreePath path, SourceItem item, CancellationToken cancellationToken)
    {
        try
        {
            return await source.ReadAttributesAsync(path, item, cancellationToken);
        }
        catch (IOException failure)
        {
            entries.Problems.Add(path, $"Its access rights cannot be read: {failure.Message}.");
            return null;
        }
    }
}
