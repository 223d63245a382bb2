namespace Strongroom.Store.Trees;

/// <summary>The handles of a walk's folders, few at a time: who comes back to one that was closed opens it again, step by step from the next open one above it. Thread-safe.</summary>
/// <remarks>Deep trees need more folders than a process may hold open, and paths longer than the kernel takes. That it is still the same folder is checked.</remarks>
internal sealed class OpenFolders : IDisposable
{
    private const int IdleKept = 256;
    private const int KeptOnTheWay = 192;
    private readonly Lock gate = new();
    private readonly LinkedList<WalkedFolder> idle = [];

    /// <param name="root">Stays open; disposed with this.</param>
    public OpenFolders(FolderHandle root) => Root = new(null, [], root.Stat()) { Handle = root, Users = 1 };

    public WalkedFolder Root { get; }

    /// <summary>Takes over a folder that was just opened.</summary>
    public WalkedFolder Enter(WalkedFolder parent, byte[] name, FolderHandle handle)
    {
        var folder = new WalkedFolder(parent, name, handle.Stat()) { Handle = handle };
        lock (gate)
            Idle(folder);
        return folder;
    }

    /// <summary>The folder's handle, open until the lease is disposed.</summary>
    /// <exception cref="IOException">The folder, or one above it, is not there any more, or another.</exception>
    public Lease Use(WalkedFolder folder)
    {
        lock (gate)
        {
            if (folder.Handle is null)
                Reopen(folder);
            if (folder.Idle is { } node)
                idle.Remove(node);
            folder.Idle = null;
            folder.Users++;
            return new(this, folder, folder.Handle!);
        }
    }

    /// <summary>Nothing is in use any more.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            foreach (var folder in idle)
                Close(folder);
            idle.Clear();
            Close(Root);
        }
    }

    private void Release(WalkedFolder folder)
    {
        lock (gate)
        {
            if (--folder.Users == 0)
                Idle(folder);
        }
    }

    private void Idle(WalkedFolder folder)
    {
        folder.Idle = idle.AddLast(folder);
        while (idle.Count > IdleKept)
        {
            Close(idle.First!.Value);
            idle.RemoveFirst();
        }
    }

    /// <summary>The last folders of the way stay open, too: who went down comes up through them.</summary>
    private void Reopen(WalkedFolder folder)
    {
        var way = new Stack<WalkedFolder>();
        var above = folder;
        for (; above.Handle is null; above = above.Parent!)
            way.Push(above);
        var at = above.Handle;
        var opened = new List<WalkedFolder>();
        try
        {
            while (way.TryPop(out var next))
            {
                var handle = at.OpenFolder(next.Name);
                if (opened.Count == 0 && at != above.Handle)
                    at.Dispose();
                at = handle;
                if (way.Count >= KeptOnTheWay)
                    continue;
                next.Handle = handle;
                opened.Add(next);
                var stat = handle.Stat();
                if ((stat.Device, stat.Inode) != next.Identity)
                    throw new IOException("The folder was replaced by another meanwhile");
            }
        }
        catch
        {
            if (opened.Count == 0 && at != above.Handle)
                at.Dispose();
            opened.ForEach(Close);
            throw;
        }

        foreach (var next in opened)
            Idle(next);
    }

    private static void Close(WalkedFolder folder)
    {
        folder.Handle?.Dispose();
        folder.Handle = null;
        folder.Idle = null;
    }

    /// <summary>Keeps a folder open.</summary>
    public readonly struct Lease(OpenFolders owner, WalkedFolder folder, FolderHandle handle) : IDisposable
    {
        public FolderHandle Handle => handle;

        public void Dispose() => owner.Release(folder);
    }
}
