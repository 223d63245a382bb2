using Strongroom.Store.Manifests;

namespace Strongroom.Store.Trees;

/// <summary>What became of an entry, or of all that is below a folder.</summary>
internal enum Fate
{
    Restored,

    /// <summary>Something was there already, and stays.</summary>
    Skipped,
    Failed,
}

/// <summary>Puts single entries in place, each complete before it has its name. Thread-safe.</summary>
/// <remarks>What goes wrong with one entry is reported; a full disk ends the restore.</remarks>
internal sealed class EntryRestore
{
    private const int OwnerWrites = 0x80; // 0200
    private const int OwnerMayAll = 0x1C0; // 0700
    private readonly ManifestReader tree;
    private readonly ExistingFiles existing;
    private readonly EarlierRun? earlier;
    private readonly bool syncsEach;
    private readonly Guid id;
    private readonly EntryMetadata metadata;
    private long folders;
    private long count;
    private long bytes;
    private long skipped;
    private long failed;

    /// <param name="tree">Where the contents are.</param>
    /// <param name="options">What becomes of what is there.</param>
    /// <param name="syncsEach">True: each file is on the disk when it has its name, and its name when this returns. False: that is for the caller to see to.</param>
    public EntryRestore(ManifestReader tree, TreeRestoreOptions options, bool syncsEach)
    {
        this.tree = tree;
        existing = options.Existing;
        id = options.Id;
        if (options.Resumes && existing is not (ExistingFiles.Refuse or ExistingFiles.Overwrite))
            earlier = new(tree, existing == ExistingFiles.CreateCopy, EarlierRun.Started());
        this.syncsEach = syncsEach;
        metadata = new(Problems);
    }

    public ProblemList Problems { get; } = new();

    public UnfinishedFolders Unfinished { get; } = new();

    /// <summary>True for the failure that ends a restore.</summary>
    public static bool IsFull(IOException failure) => failure.HResult is LinuxCalls.NoRoom or LinuxCalls.QuotaExceeded;

    public TreeRestoreResult ToResult()
    {
        if (metadata.Strangers > 0)
            Problems.Add(default, $"{metadata.Strangers} files and folders belong to you now: only root may give them back to their owners.");
        return new(folders, count, bytes, skipped, failed, Problems.ToList(), Problems.Count);
    }

    public void Report(IProgress<TreeProgress>? progress) => progress?.Report(
        new(Interlocked.Read(ref folders) + Interlocked.Read(ref count) + Interlocked.Read(ref skipped) + Interlocked.Read(ref failed), Interlocked.Read(ref bytes)));

    /// <summary>Counts what is not restored, and for which there is nothing more to be said.</summary>
    public void CountUnrestored(Fate fate) => Interlocked.Increment(ref fate == Fate.Skipped ? ref skipped : ref failed);

    public void Fail(TreePath path, string what)
    {
        Interlocked.Increment(ref failed);
        Problems.Add(path, what);
    }

    /// <summary>Makes a folder, or opens the one that is there.</summary>
    /// <returns>Its handle, its name, and whether it was made, by this restore or one that did not finish it; without a handle what becomes of all below it.</returns>
    public (FolderHandle? Handle, byte[] Name, bool IsNew, Fate Fate) OpenFolder(FolderHandle parent, TreeEntry entry, WalkedFolder at)
    {
        var name = entry.Name.ToArray();
        try
        {
            if (parent.TryMakeFolder(name))
                return Made(parent, name);
            if (parent.TryOpenFolder(name) is { } there)
                return (there, name, Unfinished.Take(there, isMade: false), Fate.Restored);
            switch (existing)
            {
                case ExistingFiles.Overwrite:
                    parent.Unlink(name);
                    parent.TryMakeFolder(name);
                    break;
                case ExistingFiles.CreateCopy:
                    if (earlier?.FindFolder(parent, at, entry, Unfinished) is { } copied)
                        return (copied.Handle, copied.Name, true, Fate.Restored);
                    name = PlaceCopy(name, copy => parent.TryMakeFolder(copy));
                    earlier?.Add(at, name);
                    break;
                case ExistingFiles.Skip:
                    CountUnrestored(Fate.Skipped);
                    return (null, name, false, Fate.Skipped);
                default:
                    throw LinuxCalls.Failure("mkdir", LinuxCalls.Exists);
            }

            return Made(parent, name);
        }
        catch (IOException failure) when (!IsFull(failure))
        {
            Fail(at.PathOf(name), $"The folder cannot be made: {failure.Message}.");
            return (null, name, false, Fate.Failed);
        }
    }

    /// <summary>Sets a folder's own metadata, when nothing in it changes any more. What was there keeps its own unless it is to be overwritten.</summary>
    public void FinishFolder(OpenFolders open, WalkedFolder folder, TreeEntry entry, bool isNew)
    {
        Interlocked.Increment(ref folders);
        try
        {
            if (!isNew && existing is not (ExistingFiles.Overwrite or ExistingFiles.Refuse))
                return;
            using var lease = open.Use(folder);

            // The mark goes last, but where its owner may not write to the folder, and so not to its attributes.
            var isMarkedToTheEnd = (entry.Mode & OwnerWrites) != 0;
            if (isNew && !isMarkedToTheEnd)
                UnfinishedFolders.Unmark(lease.Handle);
            metadata.Apply(lease.Handle.Handle, entry, folder, []);
            if (isNew && isMarkedToTheEnd)
                UnfinishedFolders.Unmark(lease.Handle);
            if (syncsEach)
                lease.Handle.Sync();
        }
        catch (IOException failure)
        {
            Problems.Add(folder.Path, $"The folder's metadata cannot be set: {failure.Message}.");
        }
        finally
        {
            if (isNew)
                Unfinished.Remove(folder);
        }
    }

    /// <summary>Gives the folders that a restore made and does not come to finish the metadata of the tree, so far as that can be done. Whoever restores again may still fill them, and finds their marks.</summary>
    public void LeaveUnfinished(OpenFolders open)
    {
        foreach (var (folder, entry) in Unfinished.DeepestFirst())
        {
            try
            {
                using var lease = open.Use(folder);
                metadata.Apply(lease.Handle.Handle, entry with { Mode = entry.Mode | OwnerMayAll }, folder, []);
            }
            catch (IOException failure)
            {
                Problems.Add(folder.Path, $"The folder's metadata cannot be set: {failure.Message}.");
            }
        }
    }

    /// <summary>The name that the entry has now, so that others may be linked to it; null when it is not restored.</summary>
    public async Task<byte[]?> RestoreAsync(FolderHandle handle, WalkedFolder folder, TreeEntry entry, CancellationToken cancellationToken)
    {
        try
        {
            if (!entry.HasContent)
                throw new IOException("it could not be read when it was backed up");
            if (!metadata.IsRoot && entry.Kind is TreeEntryKind.CharacterDevice or TreeEntryKind.BlockDevice)
                throw new IOException("only root may make devices");

            if (earlier is not null && await earlier.FindAsync(handle, folder, entry, cancellationToken) is { } own)
                return Count(handle, entry, own);

            // Looked for first, to save the reading; what appears later is found when it gets its name.
            if (existing is not (ExistingFiles.Overwrite or ExistingFiles.CreateCopy) && handle.TryStat(entry.Name.Span) is not null)
                return Taken();
            if (entry.Kind != TreeEntryKind.File)
            {
                using var special = NewEntry.Make(handle, entry.Name.Span, name => MakeSpecial(handle, name, entry, folder));
                return Place(special, handle, folder, entry);
            }

            var (made, file) = NewEntry.CreateFile(handle, entry.Name.Span, id);
            using (made)
            {
                await FileWriter.WriteAsync(tree, file, entry, cancellationToken);
                metadata.Apply(file, entry, folder, entry.Name.Span);
                if (syncsEach)
                    RandomAccess.FlushToDisk(file);
                return Place(made, handle, folder, entry);
            }
        }
        catch (IOException failure) when (!IsFull(failure))
        {
            Fail(folder.PathOf(entry.Name.Span), $"It cannot be restored: {failure.Message}.");
            return null;
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            Fail(folder.PathOf(entry.Name.Span), $"Its content is lost: {failure.Message}");
            return null;
        }
    }

    /// <summary>Makes a further name of a file that is in place.</summary>
    public void Link(OpenFolders open, WalkedFolder from, byte[] fromName, WalkedFolder folder, TreeEntry entry)
    {
        try
        {
            using var source = open.Use(from);
            using var target = open.Use(folder);
            if (earlier?.FindLink(source.Handle, fromName, target.Handle, folder, entry) is { } own)
            {
                Count(target.Handle, entry, own);
                return;
            }

            using var further = NewEntry.Link(source.Handle, fromName, target.Handle);
            Place(further, target.Handle, folder, entry);
        }
        catch (IOException failure) when (!IsFull(failure))
        {
            Fail(folder.PathOf(entry.Name.Span), $"It cannot be linked to '{from.PathOf(fromName)}': {failure.Message}.");
        }
    }

    private (FolderHandle? Handle, byte[] Name, bool IsNew, Fate Fate) Made(FolderHandle parent, byte[] name)
    {
        var handle = parent.OpenFolder(name);
        return (handle, name, Unfinished.Take(handle, isMade: true), Fate.Restored);
    }

    private byte[]? Place(NewEntry made, FolderHandle handle, WalkedFolder folder, TreeEntry entry)
    {
        var name = entry.Name.ToArray();
        if (existing == ExistingFiles.Overwrite)
            made.Replace(name);
        else if (existing == ExistingFiles.CreateCopy)
            name = PlaceCopy(name, copy => made.TryPlace(copy));
        else if (!made.TryPlace(name))
            return Taken();
        earlier?.Add(folder, name);
        return Count(handle, entry, name);
    }

    private byte[] Count(FolderHandle handle, TreeEntry entry, byte[] name)
    {
        if (syncsEach)
            handle.Sync();
        Interlocked.Increment(ref count);
        Interlocked.Add(ref bytes, entry.LengthBytes);
        return name;
    }

    private static byte[] PlaceCopy(byte[] wanted, Func<byte[], bool> tryPlace)
    {
        var name = wanted;
        for (var number = 1; !tryPlace(name); number++)
            name = CopyNames.Of(wanted, number);
        return name;
    }

    /// <exception cref="IOException">Only to skip a file lets what is there be.</exception>
    private byte[]? Taken()
    {
        if (existing != ExistingFiles.Skip)
            throw LinuxCalls.Failure("link", LinuxCalls.Exists);
        CountUnrestored(Fate.Skipped);
        return null;
    }

    private void MakeSpecial(FolderHandle handle, byte[] name, TreeEntry entry, WalkedFolder folder)
    {
        if (entry.Kind == TreeEntryKind.SymbolicLink)
            handle.MakeSymbolicLink(name, entry.LinkTarget.Span);
        else
            handle.MakeNode(name, entry.Kind, entry.DeviceMajor, entry.DeviceMinor);
        metadata.Apply(handle, name, entry, folder);
    }
}
