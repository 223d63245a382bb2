using System.IO.Hashing;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Strongroom.Store.Trees;

/// <summary>Something complete that is to get its name in one step. Disposed without one, it leaves nothing.</summary>
/// <remarks>
/// Files have no name at all until they are complete, so that a restore which is killed leaves none behind. Where a name on the way is needed it is made of the name
/// in the end: who restores again finds what was left and takes it away.
/// </remarks>
internal abstract class NewEntry(FolderHandle folder) : IDisposable
{
    protected FolderHandle Folder => folder;

    /// <summary>A nameless file, or one by a name of the restore's own where the file system has no nameless ones.</summary>
    /// <param name="folder">Where it is to be.</param>
    /// <param name="name">Its name in the end.</param>
    /// <param name="restore">Of which this is: what an earlier run of it has left of the file is removed, and nothing of another's.</param>
    public static (NewEntry Entry, SafeFileHandle File) CreateFile(FolderHandle folder, ReadOnlySpan<byte> name, Guid restore)
    {
        if (folder.TryCreateNameless() is { } nameless)
            return (new Linked(folder, name => folder.TryLink(nameless, name), nameless), nameless);
        var temporary = OnTheWayTo([.. restore.ToByteArray(), .. name]);
        folder.UnlinkIfThere(temporary);
        var file = folder.CreateFile(temporary);
        return (new Named(folder, temporary, file), file);
    }

    /// <summary>What cannot be made without a name: links, FIFOs, sockets and devices.</summary>
    /// <param name="folder">Where it is to be.</param>
    /// <param name="name">Its name in the end.</param>
    /// <param name="make">Makes it under another.</param>
    public static NewEntry Make(FolderHandle folder, ReadOnlySpan<byte> name, Action<byte[]> make)
    {
        var temporary = OnTheWayTo(name);
        folder.UnlinkIfThere(temporary);
        var entry = new Named(folder, temporary, null);
        try
        {
            make(temporary);
            return entry;
        }
        catch
        {
            entry.Dispose();
            throw;
        }
    }

    /// <summary>A further name of a file that is in place.</summary>
    public static NewEntry Link(FolderHandle from, byte[] fromName, FolderHandle folder) =>
        new Linked(folder, name => folder.TryLink(from, fromName, name), null);

    /// <summary>False when the name is taken: then nothing happened.</summary>
    public abstract bool TryPlace(ReadOnlySpan<byte> name);

    /// <summary>Takes the place of what has the name, if anything has.</summary>
    /// <exception cref="IOException">That is a folder.</exception>
    public abstract void Replace(ReadOnlySpan<byte> name);

    public abstract void Dispose();

    private static byte[] OnTheWayTo(ReadOnlySpan<byte> name) => Encoding.ASCII.GetBytes($".strongroom-{XxHash128.HashToUInt128(name):x32}.tmp");

    private sealed class Linked(FolderHandle folder, Func<byte[], bool> tryLink, SafeFileHandle? file) : NewEntry(folder)
    {
        public override bool TryPlace(ReadOnlySpan<byte> name) => tryLink(name.ToArray());

        public override void Replace(ReadOnlySpan<byte> name)
        {
            if (TryPlace(name))
                return;
            var between = OnTheWayTo(name);
            while (!tryLink(between))
                Folder.UnlinkIfThere(between);
            try
            {
                Folder.Rename(between, name);
            }
            finally
            {
                // There still after a failure, and when both are names of one file: then rename(2) does nothing.
                Folder.UnlinkIfThere(between);
            }
        }

        public override void Dispose() => file?.Dispose();
    }

    private sealed class Named(FolderHandle folder, byte[] temporary, SafeFileHandle? file) : NewEntry(folder)
    {
        private bool isPlaced;

        public override bool TryPlace(ReadOnlySpan<byte> name) => isPlaced = Folder.TryRename(temporary, name);

        public override void Replace(ReadOnlySpan<byte> name)
        {
            Folder.Rename(temporary, name);
            isPlaced = true;
        }

        public override void Dispose()
        {
            file?.Dispose();
            if (isPlaced)
                return;
            try
            {
                Folder.UnlinkIfThere(temporary);
            }
            catch (IOException)
            {
                // The first failure is the one to tell; a leftover says by its name what it is.
            }
        }
    }
}
