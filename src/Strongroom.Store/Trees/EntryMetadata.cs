using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Strongroom.Store.Trees;

/// <summary>Sets what is kept of files beside their content. Thread-safe.</summary>
/// <remarks>Who is not root gets the files as his own, and may still hand them to a group that he is in.</remarks>
internal sealed class EntryMetadata(ProblemList problems)
{
    private const int SetIdBits = 0xC00; // 06000
    private long strangers;

    public bool IsRoot { get; } = LinuxCalls.EffectiveUser() == 0;

    /// <summary>How many entries now belong to who restored them, and not to whom they did.</summary>
    public long Strangers => Interlocked.Read(ref strangers);

    /// <summary>In this order: a change of owner takes away set-id bits and capabilities, an ACL changes the mode, and all of them the times.</summary>
    public void Apply(SafeFileHandle file, TreeEntry entry, WalkedFolder folder, ReadOnlySpan<byte> name)
    {
        AttributeCalls.RemoveInherited(file, entry);
        SetAttributes(file, entry, folder, name, followMode: false);
        var isOwned = ShouldSetOwner(entry) && FolderHandle.TrySetOwner(file, entry.UserId, entry.GroupId);
        TellOwner(isOwned, entry, folder, name);
        FolderHandle.SetMode(file, ModeOf(entry, isOwned));
        SetAttributes(file, entry, folder, name, followMode: true);
        FolderHandle.SetModified(file, entry.ModifiedAt);
    }

    /// <summary>Of what cannot be opened: a link, FIFO, socket or device that is called <paramref name="name"/> for now.</summary>
    public void Apply(FolderHandle handle, byte[] name, TreeEntry entry, WalkedFolder folder)
    {
        var isOwned = ShouldSetOwner(entry) && handle.TrySetOwner(name, entry.UserId, entry.GroupId);
        TellOwner(isOwned, entry, folder, entry.Name.Span);
        if (entry.Kind != TreeEntryKind.SymbolicLink)
        {
            AttributeCalls.RemoveInherited(handle, name, entry);
            handle.SetMode(name, ModeOf(entry, isOwned));
        }

        foreach (var attribute in entry.Attributes)
            Tell(AttributeCalls.TrySet(handle, name, attribute), attribute, folder, entry.Name.Span);
        handle.SetModified(name, entry.ModifiedAt);
    }

    private void SetAttributes(SafeFileHandle file, TreeEntry entry, WalkedFolder folder, ReadOnlySpan<byte> name, bool followMode)
    {
        foreach (var attribute in entry.Attributes)
        {
            // No backup holds the mark of unfinished folders; a tree that was made up might, to have others' folders taken for the restore's own.
            if (AttributeCalls.FollowsMode(attribute) == followMode && !UnfinishedFolders.IsMark(attribute.Name.Span))
                Tell(AttributeCalls.TrySet(file, attribute), attribute, folder, name);
        }
    }

    private bool ShouldSetOwner(TreeEntry entry) => IsRoot || entry.UserId == LinuxCalls.EffectiveUser();

    /// <summary>A set-user-id file of somebody else must not become one of whoever restores it.</summary>
    private static int ModeOf(TreeEntry entry, bool isOwned) => isOwned ? entry.Mode : entry.Mode & ~SetIdBits;

    private void TellOwner(bool isOwned, TreeEntry entry, WalkedFolder folder, ReadOnlySpan<byte> name)
    {
        if (isOwned)
            return;
        if (IsRoot)
            problems.Add(folder.PathOf(name), $"Its owner {entry.UserId}:{entry.GroupId} cannot be set here.");
        else
            Interlocked.Increment(ref strangers);
    }

    private void Tell(bool isSet, ExtendedAttribute attribute, WalkedFolder folder, ReadOnlySpan<byte> name)
    {
        // A label is the machine's own policy: where that is another, or there is none, the file is as good without it.
        if (!isSet && !attribute.Name.Span.SequenceEqual("security.selinux"u8))
            problems.Add(folder.PathOf(name), $"The attribute {Encoding.UTF8.GetString(attribute.Name.Span)} cannot be set here.");
    }
}
