using System.Buffers;
using System.Text;
using Strongroom.Store;
using Strongroom.Workloads.VirtualMachines.Files;

namespace Strongroom.Workloads.FileShares.Smb;

/// <summary>A share that a process holds open, to be restored into.</summary>
internal sealed class SmbTarget(SmbProcess process, SmbTree tree) : ITreeTarget
{
    private const int FolderAttribute = 0x10, Normal = 0x80;
    private const int LongestNameUnits = 255;
    private const int NanosecondsOfMicrosecond = 1000;
    private const int MostTries = 8;
    private const int MostListings = 256;

    private static readonly TimeSpan s_betweenTries = TimeSpan.FromMilliseconds(500);

    private static readonly SearchValues<char> s_impossible = SearchValues.Create("\\/:*?\"<>|");
    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    // The folders that a folder lists, by its path: their names, and why nothing is restored into them.
    private readonly Dictionary<TreePath, Dictionary<string, string?>> _folders = [];

    /// <inheritdoc/>
    public string? Refuse(TreeEntryKind kind, ReadOnlySpan<byte> name)
    {
        if (kind is not (TreeEntryKind.File or TreeEntryKind.Folder))
            return kind == TreeEntryKind.SymbolicLink ? "symbolic links cannot be made over SMB" : "FIFOs, sockets and devices cannot be made over SMB";
        string text;
        try { text = s_strict.GetString(name); }
        catch (DecoderFallbackException) { return "its name is not UTF-8, as names over SMB are"; }
        // A colon would name a stream of another file, and servers leave out dots and blanks at the end: the name would be another's.
        return text.Length > LongestNameUnits || text.AsSpan().ContainsAny(s_impossible) || text.Any(char.IsControl) || text[^1] is '.' or ' '
            ? "its name cannot be one over SMB: at most 255 characters, no control characters, none of \\ / : * ? \" < > |, and neither dot nor blank at the end"
            : null;
    }

    /// <inheritdoc/>
    public async ValueTask<TargetItem?> FindAsync(TreePath path, CancellationToken cancellationToken)
    {
        try
        {
            var (isFolder, state, _) = await tree.FindAsync(path, cancellationToken);
            return new(isFolder, state.LengthBytes, state.ModifiedAt, isFolder && !path.IsRoot ? await FindObstacleAsync(path, cancellationToken) : null);
        }
        catch (SmbException failure) when (failure.HResult is SmbException.NoEntry or SmbException.NotAFolder)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<bool> TryMakeFolderAsync(TreePath path, CancellationToken cancellationToken)
    {
        try
        {
            await DoAsync(SmbTree.Request(SmbRequest.MakeFolder, path), cancellationToken);
            return true;
        }
        catch (SmbException failure) when (failure.HResult == SmbException.Exists)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<ITargetFile> CreateAsync(TreePath path, CancellationToken cancellationToken) => new NewFile(
        process, await process.AskAsync(SmbTree.Request(SmbRequest.OpenFile, path).Put((byte)1), static answer => new FrameFields(answer).Int(), cancellationToken));

    /// <inheritdoc/>
    /// <remarks>libsmbclient removes what has the name and then renames: in between nothing has it.</remarks>
    public async ValueTask RenameAsync(TreePath from, TreePath to, bool replaces, CancellationToken cancellationToken)
    {
        if (await TryRenameAsync(from, to, cancellationToken)) return;
        if (!replaces) throw new IOException("something has its name");
        var attributes = await FindAttributesAsync(to, cancellationToken);
        for (var tries = 1; ; tries++)
        {
            // What is read-only is not removed by a rename, and what somebody has open goes when he closes it.
            await TryDoAsync(SmbTree.Request(SmbRequest.SetAttributes, to).Put(0), cancellationToken);
            if (await TryRenameAsync(from, to, cancellationToken)) return;
            if (tries == MostTries) break;
            await Task.Delay(s_betweenTries, TimeProvider.System, cancellationToken);
        }

        await GiveBackAsync(to, attributes, cancellationToken);
        throw new IOException("what has its name cannot be removed");
    }

    /// <inheritdoc/>
    public async ValueTask DeleteAsync(TreePath path, CancellationToken cancellationToken)
    {
        if (await TryDoAsync(SmbTree.Request(SmbRequest.Delete, path), cancellationToken)) return;
        var attributes = await FindAttributesAsync(path, cancellationToken);
        await TryDoAsync(SmbTree.Request(SmbRequest.SetAttributes, path).Put(0), cancellationToken);
        try
        {
            await DoAsync(SmbTree.Request(SmbRequest.Delete, path), cancellationToken);
        }
        catch (SmbException)
        {
            await GiveBackAsync(path, attributes, cancellationToken);
            throw;
        }
    }

    /// <inheritdoc/>
    /// <remarks>The access rights go last: they may forbid all else.</remarks>
    public async ValueTask<IReadOnlyList<string>> ApplyAsync(TreePath path, TreeEntry entry, CancellationToken cancellationToken)
    {
        var problems = new List<string>();
        var known = SambaAttributes.Read(entry);
        var born = known?.Born;
        var kind = entry.Kind == TreeEntryKind.Folder ? FolderAttribute : Normal;
        // Whatever of it fails, the rest is tried: a file without its rights has those of its folder.
        await NoteAsync(
            "times", problems, SmbTree.Request(SmbRequest.SetTimes, path).Put(kind).Put(born?.Seconds ?? 0).Put(born?.Nanoseconds ?? 0).Put(entry.ModifiedAt.Seconds).Put(entry.ModifiedAt.Nanoseconds), cancellationToken);
        // None as well: a new file is one for the archive.
        if (known is { Attributes: var attributes } && !path.IsRoot)
            await NoteAsync("attributes", problems, SmbTree.Request(SmbRequest.SetAttributes, path).Put(attributes & SambaAttributes.Settable), cancellationToken);
        var hasRights = entry.Attributes.Any(NtAcl.Is);
        if (hasRights && await TryWriteRightsAsync(path, entry, cancellationToken) is { } problem) problems.Add(problem);
        problems.AddRange(entry.Attributes.Where(attribute => !IsOfHere(attribute, hasRights)).Select(attribute => $"The attribute {Encoding.UTF8.GetString(attribute.Name.Span)} cannot be set over SMB."));
        return problems;
    }

    /// <inheritdoc/>
    /// <remarks>Samba makes what was renamed one for the archive.</remarks>
    public async ValueTask SealAsync(TreePath path, TreeEntry entry, CancellationToken cancellationToken)
    {
        if (SambaAttributes.Read(entry) is { Attributes: var attributes } && (attributes & SambaAttributes.Archive) == 0)
            await DoAsync(SmbTree.Request(SmbRequest.SetAttributes, path).Put(attributes & SambaAttributes.Settable), cancellationToken);
    }

    /// <inheritdoc/>
    public bool IsSame(TargetItem item, TreeEntry entry) =>
        item.LengthBytes == entry.LengthBytes
        && item.ModifiedAt.Seconds == entry.ModifiedAt.Seconds
        && item.ModifiedAt.Nanoseconds / NanosecondsOfMicrosecond == entry.ModifiedAt.Nanoseconds / NanosecondsOfMicrosecond;

    /// <inheritdoc/>
    /// <remarks>What came over SMB has neither.</remarks>
    public bool LosesOwner(TreeEntry entry) => entry.UserId != 0 || entry.GroupId != 0 || entry.UserName.Length > 0 || entry.GroupName.Length > 0;

    private static bool IsOfHere(ExtendedAttribute attribute, bool hasRights) =>
        SambaAttributes.Is(attribute)
        || NtAcl.Is(attribute)
        || attribute.Name.Span.SequenceEqual("security.selinux"u8)
        // With Samba's own they are what it made of these.
        || (hasRights && attribute.Name.Span.StartsWith("system.posix_acl_"u8));

    private async ValueTask<string?> TryWriteRightsAsync(TreePath path, TreeEntry entry, CancellationToken cancellationToken)
    {
        if (!process.HasSecurity) return "Its access rights cannot be set: the file server's service for them (LSA) does not answer.";
        try
        {
            await DoAsync(SmbTree.Request(SmbRequest.WriteSecurity, path).Put(Encoding.ASCII.GetBytes(NtAcl.Read(entry)!)), cancellationToken);
            return null;
        }
        catch (IOException failure)
        {
            return $"Its access rights cannot be set: {failure.Message}.";
        }
    }

    private async ValueTask NoteAsync(string what, List<string> problems, FrameWriter request, CancellationToken cancellationToken)
    {
        try
        {
            await DoAsync(request, cancellationToken);
        }
        catch (SmbException failure)
        {
            problems.Add($"Its {what} cannot be set: {failure.Message}.");
        }
    }

    private async ValueTask<bool> TryRenameAsync(TreePath from, TreePath to, CancellationToken cancellationToken)
    {
        try
        {
            await DoAsync(SmbTree.Request(SmbRequest.Rename, from).Put(to.Bytes), cancellationToken);
            return true;
        }
        catch (SmbException failure) when (failure.HResult == SmbException.Exists)
        {
            return false;
        }
    }

    private async ValueTask<bool> TryDoAsync(FrameWriter request, CancellationToken cancellationToken)
    {
        try
        {
            await DoAsync(request, cancellationToken);
            return true;
        }
        catch (SmbException)
        {
            return false;
        }
    }

    private async ValueTask GiveBackAsync(TreePath path, int? attributes, CancellationToken cancellationToken)
    {
        if (attributes is { } kept) await TryDoAsync(SmbTree.Request(SmbRequest.SetAttributes, path).Put(kept & SambaAttributes.Settable), cancellationToken);
    }

    /// <summary>Null where the folder does not list it.</summary>
    private async ValueTask<int?> FindAttributesAsync(TreePath path, CancellationToken cancellationToken)
    {
        var (above, name) = Split(path);
        var item = (await tree.ListAsync(above, cancellationToken)).FirstOrDefault(item => Encoding.UTF8.GetString(item.Name.Span).Equals(name, StringComparison.OrdinalIgnoreCase));
        return item is null ? null : SambaAttributes.Read(item.Attributes)?.Attributes;
    }

    /// <summary>A server follows what its users have put there: a folder that is one of somewhere else, or has another name and only a short one of this kind, is none to restore into.</summary>
    private async ValueTask<string?> FindObstacleAsync(TreePath path, CancellationToken cancellationToken)
    {
        var (above, name) = Split(path);
        if (!_folders.TryGetValue(above, out var listed))
        {
            if (_folders.Count == MostListings) _folders.Clear();
            listed = new(StringComparer.OrdinalIgnoreCase);
            foreach (var item in (await tree.ListAsync(above, cancellationToken)).Where(item => item.Kind == TreeEntryKind.Folder))
                listed[Encoding.UTF8.GetString(item.Name.Span)] = item.Obstacle is null ? null : "the folder there is a link or a mount point of its server (a reparse point)";
            _folders.Add(above, listed);
        }

        return listed.TryGetValue(name, out var obstacle) ? obstacle : "its folder does not list it: another folder has it as its short name";
    }

    private static (TreePath Above, string Name) Split(TreePath path)
    {
        var cut = path.Bytes.LastIndexOf((byte)'/');
        return (cut < 0 ? default : TreePath.Of(path.Bytes[..cut]), Encoding.UTF8.GetString(path.Bytes[(cut + 1)..]));
    }

    private async ValueTask DoAsync(FrameWriter request, CancellationToken cancellationToken) => await process.AskAsync(request, static _ => true, cancellationToken);

    /// <summary>A file that the process holds open for writing.</summary>
    private sealed class NewFile(SmbProcess process, int handle) : ITargetFile
    {
        private bool _isClosed;

        public async ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            for (var at = 0; at < content.Length; at += SmbFrames.MaxPieceBytes)
            {
                var piece = content.Slice(at, Math.Min(SmbFrames.MaxPieceBytes, content.Length - at));
                await process.AskAsync(new FrameWriter((byte)SmbRequest.Write).Put(handle).Put(offset + at).PutRest(piece.Span), static _ => true, cancellationToken);
            }
        }

        public async ValueTask CloseAsync(CancellationToken cancellationToken)
        {
            if (_isClosed) return;
            _isClosed = true;
            await process.AskAsync(new FrameWriter((byte)SmbRequest.Close).Put(handle), static _ => true, cancellationToken);
        }

        public async ValueTask DisposeAsync()
        {
            try
            {
                await CloseAsync(CancellationToken.None);
            }
            catch (Exception failure) when (failure is SmbException or Strongroom.Backup.FileShares.ShareException or ObjectDisposedException)
            {
                // Who wrote it was told what went wrong.
            }
        }
    }
}
