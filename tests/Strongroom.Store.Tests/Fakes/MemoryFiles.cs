using System.Text;

namespace Strongroom.Store.Tests.Fakes;

/// <summary>A file server of the memory, to be backed up and restored into. Names differ by more than capitals, as on most.</summary>
internal sealed class MemoryFiles : ITreeSource, ITreeTarget
{
    public static readonly FileTime Time = new(1_600_000_000, 123_456_700);

    private ulong next = 1;

    public MemoryFiles() => Put("", null);

    public SortedDictionary<string, Node> Nodes { get; } = new(StringComparer.OrdinalIgnoreCase);

    public int Opened { get; private set; }

    public int AttributesRead { get; private set; }

    /// <summary>Thrown in place of an answer about a path.</summary>
    public Dictionary<string, Exception> Failures { get; } = [];

    /// <summary>Whether kept attributes are all that there are.</summary>
    public Func<IReadOnlyList<ExtendedAttribute>, bool> AreWhole { get; set; } = static _ => true;

    /// <summary>Called before a file gets this name; what it returns is thrown.</summary>
    public Func<string, Exception?>? Renaming { get; set; }

    /// <summary>Called before a file is read.</summary>
    public Action<Node>? Reading { get; set; }

    public Node Put(string path, string? content, FileTime? changedAt = null) =>
        Nodes[path] = new() { Name = path, Content = content is null ? null : Encoding.UTF8.GetBytes(content), ChangedAt = changedAt ?? Time, Inode = next++ };

    public string? Text(string path) => Nodes.TryGetValue(path, out var node) && node.Content is { } content ? Encoding.UTF8.GetString(content) : null;

    public ValueTask<SourceItem> FindRootAsync(CancellationToken cancellationToken) => new(Nodes[""].ToItem("", null));

    public ValueTask<IReadOnlyList<SourceItem>> ListAsync(TreePath folder, CancellationToken cancellationToken)
    {
        Check(folder);
        var prefix = folder.IsRoot ? "" : folder + "/";
        // Backwards: no order is promised.
        return new([.. from path in Nodes.Keys.Reverse()
            where path.Length > prefix.Length && path.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) && !path[prefix.Length..].Contains('/', StringComparison.Ordinal)
            select Nodes[path].ToItem(path[prefix.Length..], Nodes[path].Obstacle)]);
    }

    public ValueTask<IReadOnlyList<ExtendedAttribute>> ReadAttributesAsync(TreePath path, SourceItem item, CancellationToken cancellationToken)
    {
        AttributesRead++;
        Check(path.Join("!"u8));
        return new([new("rights"u8.ToArray(), Encoding.UTF8.GetBytes(Nodes[path.ToString()].Rights)), .. item.Attributes]);
    }

    public bool IsWhole(IReadOnlyList<ExtendedAttribute> kept) => AreWhole(kept);

    public ValueTask<ISourceFile> OpenAsync(TreePath path, CancellationToken cancellationToken)
    {
        Check(path);
        Opened++;
        return new(new OpenFile(this, Nodes[path.ToString()]));
    }

    public string? Refuse(TreeEntryKind kind, ReadOnlySpan<byte> name) =>
        kind is not (TreeEntryKind.File or TreeEntryKind.Folder) ? "there are none here" : name.Contains((byte)':') ? "its name has a colon" : null;

    public ValueTask<TargetItem?> FindAsync(TreePath path, CancellationToken cancellationToken) =>
        new(Nodes.TryGetValue(path.ToString(), out var node) ? new TargetItem(node.Content is null, node.Content?.Length ?? 0, node.ModifiedAt, node.Obstacle) : null);

    public ValueTask<bool> TryMakeFolderAsync(TreePath path, CancellationToken cancellationToken)
    {
        Check(path);
        if (Nodes.ContainsKey(path.ToString()))
            return new(false);
        Put(path.ToString(), null).ModifiedAt = default;
        return new(true);
    }

    public ValueTask<ITargetFile> CreateAsync(TreePath path, CancellationToken cancellationToken)
    {
        Assert.DoesNotContain(path.ToString(), Nodes.Keys);
        return new(new OpenFile(this, Put(path.ToString(), "")));
    }

    public ValueTask RenameAsync(TreePath from, TreePath to, bool replaces, CancellationToken cancellationToken)
    {
        Check(to);
        if (Renaming?.Invoke(to.ToString()) is { } failure)
            throw failure;
        Assert.Equal(Nodes.ContainsKey(to.ToString()), replaces);
        Nodes.Remove(to.ToString());
        Nodes.Remove(from.ToString(), out var node);
        Nodes.Add(to.ToString(), node!);
        return default;
    }

    public ValueTask DeleteAsync(TreePath path, CancellationToken cancellationToken)
    {
        Nodes.Remove(path.ToString());
        return default;
    }

    public ValueTask<IReadOnlyList<string>> ApplyAsync(TreePath path, TreeEntry entry, CancellationToken cancellationToken)
    {
        Nodes[path.ToString()].ModifiedAt = entry.ModifiedAt;
        Nodes[path.ToString()].Rights = entry.Attributes.Count > 0 ? Encoding.UTF8.GetString(entry.Attributes[0].Value.Span) : "none";
        return new([]);
    }

    public ValueTask SealAsync(TreePath path, TreeEntry entry, CancellationToken cancellationToken)
    {
        Nodes[path.ToString()].IsSealed = true;
        return default;
    }

    public bool IsSame(TargetItem item, TreeEntry entry) => (item.LengthBytes, item.ModifiedAt) == (entry.LengthBytes, entry.ModifiedAt);

    public bool LosesOwner(TreeEntry entry) => entry.UserName.Length > 0;

    private void Check(TreePath path)
    {
        if (Failures.TryGetValue(path.ToString(), out var failure))
            throw failure;
    }

    public sealed class Node
    {
        public required string Name { get; init; }

        /// <summary>Null: a folder.</summary>
        public byte[]? Content { get; set; }

        public FileTime ModifiedAt { get; set; } = Time;

        public FileTime ChangedAt { get; set; }

        public ulong Inode { get; set; }

        public string Rights { get; set; } = "rights";

        public string? Obstacle { get; set; }

        public bool IsSealed { get; set; }

        public SourceState State => new(Content?.Length ?? 0, ModifiedAt, ChangedAt);

        public SourceItem ToItem(string name, string? obstacle) =>
            new(Content is null ? TreeEntryKind.Folder : TreeEntryKind.File, Encoding.UTF8.GetBytes(name), State, default, Inode) { Obstacle = obstacle };
    }

    private sealed class OpenFile(MemoryFiles files, Node node) : ISourceFile, ITargetFile
    {
        public ValueTask<SourceState> FindStateAsync(CancellationToken cancellationToken) => new(node.State);

        public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            files.Reading?.Invoke(node);
            var rest = node.Content.AsSpan((int)Math.Min(offset, node.Content!.Length));
            var count = Math.Min(rest.Length, buffer.Length);
            rest[..count].CopyTo(buffer.Span);
            return new(count);
        }

        public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            var grown = new byte[Math.Max(node.Content!.Length, offset + content.Length)];
            node.Content.CopyTo(grown, 0);
            content.CopyTo(grown.AsMemory((int)offset));
            node.Content = grown;
            return default;
        }

        public ValueTask CloseAsync(CancellationToken cancellationToken) => default;

        public ValueTask DisposeAsync() => default;
    }
}
