using System.Text;
using Strongroom.Store;
using Strongroom.Workloads.VirtualMachines.Files;

namespace Strongroom.Workloads.FileShares.Smb;

/// <summary>The files of a share that a process holds open. Thread-safe: calls take turns.</summary>
internal sealed class SmbTree(SmbProcess process) : ITreeSource, IDisposable
{
    private const int FolderAttribute = 0x10, ReparsePoint = 0x400;
    private readonly SemaphoreSlim _listing = new(1);

    /// <inheritdoc/>
    public async ValueTask<SourceItem> FindRootAsync(CancellationToken cancellationToken)
    {
        // The listing tells more of the folder than a question for it, where it names it.
        var (own, _) = await ListAllAsync(default, cancellationToken);
        if (own is not null) return own with { Name = default, Obstacle = null };
        var found = await FindAsync(default, cancellationToken);
        return new(TreeEntryKind.Folder, default, found.State with { LengthBytes = 0 }, default, found.Inode) { Attributes = [SambaAttributes.Write(FolderAttribute, default)] };
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<SourceItem>> ListAsync(TreePath folder, CancellationToken cancellationToken) => (await ListAllAsync(folder, cancellationToken)).Items;

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<ExtendedAttribute>> ReadAttributesAsync(TreePath path, SourceItem item, CancellationToken cancellationToken)
    {
        if (!process.HasSecurity) return item.Attributes;
        var text = await process.AskAsync(Request(SmbRequest.ReadSecurity, path), static answer => Encoding.ASCII.GetString(Field(answer)), cancellationToken);
        return [NtAcl.Write(text), .. item.Attributes];
    }

    /// <inheritdoc/>
    public bool IsWhole(IReadOnlyList<ExtendedAttribute> kept) => !process.HasSecurity || kept.Any(NtAcl.Is);

    /// <inheritdoc/>
    public async ValueTask<ISourceFile> OpenAsync(TreePath path, CancellationToken cancellationToken) =>
        new SmbFile(process, await process.AskAsync(Request(SmbRequest.OpenFile, path).Put((byte)0), static answer => new FrameFields(answer).Int(), cancellationToken));

    public void Dispose() => _listing.Dispose();

    internal static FrameWriter Request(SmbRequest request, TreePath path) => new FrameWriter((byte)request).Put(path.Bytes);

    internal static FileTime TimeOf(ref FrameFields fields)
    {
        var seconds = fields.Long();
        return new(seconds, Math.Clamp(fields.Int(), 0, 999_999_999));
    }

    /// <summary>What a file or folder is.</summary>
    /// <exception cref="SmbException">It is not there, or cannot be looked at.</exception>
    internal Task<(bool IsFolder, SourceState State, ulong Inode)> FindAsync(TreePath path, CancellationToken cancellationToken) => process.AskAsync(
        Request(SmbRequest.Find, path),
        static answer =>
        {
            var fields = new FrameFields(answer);
            return (fields.Byte() == 1, new SourceState(fields.Long(), TimeOf(ref fields), TimeOf(ref fields)), (ulong)fields.Long());
        },
        cancellationToken);

    private static byte[] Field(byte[] answer) => new FrameFields(answer).Bytes(SmbFrames.MaxSecurityBytes);

    private async Task<(SourceItem? Own, List<SourceItem> Items)> ListAllAsync(TreePath folder, CancellationToken cancellationToken)
    {
        await _listing.WaitAsync(cancellationToken);
        try
        {
            var (own, items) = ((SourceItem?)null, new List<SourceItem>());
            for (var request = Request(SmbRequest.List, folder); ; request = new((byte)SmbRequest.More))
            {
                var page = await process.AskAsync(request, ReadPage, cancellationToken);
                if (page.Count == 0) return (own, items);
                foreach (var item in page)
                {
                    if (item.Name.Span.SequenceEqual("."u8)) own = item;
                    else if (!item.Name.Span.SequenceEqual(".."u8)) items.Add(item);
                }
            }
        }
        finally
        {
            _listing.Release();
        }
    }

    private static List<SourceItem> ReadPage(byte[] answer)
    {
        var fields = new FrameFields(answer);
        var count = fields.Count(SmbFrames.MaxEntries);
        var items = new List<SourceItem>(count);
        for (var i = 0; i < count; i++) items.Add(ReadItem(ref fields));
        fields.End();
        return items;
    }

    private static SourceItem ReadItem(ref FrameFields fields)
    {
        var (name, length, attributes) = (fields.Bytes(SmbFrames.MaxNameBytes), fields.Long(), fields.Int());
        var (born, changed, modified, inode) = (TimeOf(ref fields), TimeOf(ref fields), TimeOf(ref fields), fields.Long());
        var isFolder = (attributes & FolderAttribute) != 0;
        return new(isFolder ? TreeEntryKind.Folder : TreeEntryKind.File, name, new(isFolder ? 0 : length, modified, changed), born, (ulong)inode)
        {
            Attributes = [SambaAttributes.Write(attributes, born)],
            Obstacle = isFolder && (attributes & ReparsePoint) != 0 ? "The folder is a link or a mount point of its server (a reparse point): what is in it was left out." : null,
        };
    }

    /// <summary>A file that the process holds open.</summary>
    private sealed class SmbFile(SmbProcess process, int handle) : ISourceFile
    {
        public async ValueTask<SourceState> FindStateAsync(CancellationToken cancellationToken) => await process.AskAsync(
            new FrameWriter((byte)SmbRequest.State).Put(handle),
            static answer =>
            {
                var fields = new FrameFields(answer);
                return new SourceState(fields.Long(), TimeOf(ref fields), TimeOf(ref fields));
            },
            cancellationToken);

        public async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) => await process.AskAsync(
            new FrameWriter((byte)SmbRequest.Read).Put(handle).Put(offset).Put(Math.Min(buffer.Length, SmbFrames.MaxPieceBytes)),
            answer =>
            {
                if (answer.Length > buffer.Length) throw new InvalidDataException($"{answer.Length} bytes were read where {buffer.Length} were asked for.");
                answer.CopyTo(buffer.Span);
                return answer.Length;
            },
            cancellationToken);

        public async ValueTask DisposeAsync()
        {
            try
            {
                await process.AskAsync(new FrameWriter((byte)SmbRequest.Close).Put(handle), static _ => true, CancellationToken.None);
            }
            catch (Exception failure) when (failure is SmbException or Strongroom.Backup.FileShares.ShareException or ObjectDisposedException)
            {
                // It was read; what could not be read was told.
            }
        }
    }
}
