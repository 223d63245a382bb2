using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Trees.Truth;

internal sealed partial class GrownTree
{
    /// <summary>Makes so many changes, of the kinds that a backup against a parent might miss.</summary>
    public void Change(int count)
    {
        for (var i = 0; i < count; i++)
            ChangeOnce();
    }

    private void ChangeOnce()
    {
        switch (random.Next(13))
        {
            case 0:
                Add();
                break;
            case 1 when Pick(_ => true) is { } path:
                Remove(path);
                break;
            case 2 when Pick(type => type != RawStat.Folder) is { } path:
                RawCalls.Require(Rename(path, PickFolder().Join(Name()), 0), "rename");
                break;
            case 3 when Pick(type => type == RawStat.Folder) is { } path:
                RawCalls.Require(Rename(path, top.Join(Name()), 0), "rename");
                break;
            case 4 when Pick(type => type == RawStat.File) is { } path:
                RewriteUnseen(path);
                break;
            case 5 when Pick(type => type == RawStat.File) is { } path:
                Resize(path);
                break;
            case 6 when Pick(_ => true) is { } path:
                ChangeMetadata(path);
                break;
            case 7 when Pick(type => type is RawStat.File or RawStat.Folder) is { } path:
                RawCalls.RemoveAttribute(path.Terminated, "user.note\0"u8.ToArray());
                break;
            case 8 when Pick(type => type != RawStat.Folder) is { } path:
                RawCalls.Require(RawCalls.Link(path.Terminated, PickFolder().Join(Name()).Terminated), "link");
                break;
            case 9 when Pick(type => type == RawStat.Folder) is { } path:
                Remove(path);
                RawCalls.Require(RawCalls.MakeSymbolicLink("/etc\0"u8.ToArray(), path.Terminated), "symlink");
                break;
            case 10 when Pick(type => type == RawStat.File) is { } path:
                Remove(path);
                RawCalls.Require(RawCalls.MakeFolder(path.Terminated, 0x1C0), "mkdir");
                WriteFile(path.Join("in the place of a file"u8));
                break;
            case 11 when Pick(type => type == RawStat.File) is { } one && Pick(type => type == RawStat.File) is { } other:
                RawCalls.Require(Rename(one, other, RawCalls.Exchange), "rename");
                break;
            case 12 when Pick(type => type == RawStat.File) is { } path:
                ReplaceUnseen(path);
                break;
        }
    }

    /// <summary>Other bytes in the same inode, with the same length and modification time.</summary>
    private void RewriteUnseen(RawPath path)
    {
        var before = path.Stat();
        using (var file = path.Open(1))
            RandomAccess.Write(file, TestVault.Noise(random.Next(), (int)Math.Min(before.Length, 5000)), 0);
        Restore(path, before);
    }

    /// <summary>Another file by the same name, with the same length and modification time.</summary>
    private void ReplaceUnseen(RawPath path)
    {
        var before = path.Stat();
        var beside = top.Join(Name());
        using (var file = beside.Open(0x42))
            RandomAccess.Write(file, TestVault.Noise(random.Next(), (int)Math.Min(before.Length, 400_000)), 0);
        Restore(beside, before);
        RawCalls.Require(Rename(beside, path, 0), "rename");
    }

    private static void Restore(RawPath path, RawStat before)
    {
        var (seconds, nanoseconds) = ((long)(before.Modified / 1_000_000_000), (long)(before.Modified % 1_000_000_000));
        if (nanoseconds < 0)
            (seconds, nanoseconds) = (seconds - 1, nanoseconds + 1_000_000_000);
        SetModified(path, seconds, nanoseconds);
        Assert.Equal(before.Modified, path.Stat().Modified);
    }

    private void Resize(RawPath path)
    {
        using var file = path.Open(1);
        RandomAccess.SetLength(file, random.Next(2) == 0 ? random.Next(1000) : path.Stat().Length + random.Next(600_000));
        RandomAccess.Write(file, TestVault.Noise(random.Next(), random.Next(2000)), random.Next(1000));
    }

    private static void Remove(RawPath path)
    {
        var pending = new Stack<(RawPath Path, bool IsEmpty)>([(path, false)]);
        while (pending.TryPop(out var next))
        {
            if (next.Path.Stat().Type != RawStat.Folder)
            {
                RawCalls.Require(RawCalls.Unlink(next.Path.Terminated), "unlink");
            }
            else if (next.IsEmpty)
            {
                RawCalls.Require(RawCalls.RemoveFolder(next.Path.Terminated), "rmdir");
            }
            else
            {
                pending.Push((next.Path, true));
                foreach (var name in next.Path.Names())
                    pending.Push((next.Path.Join(name), false));
            }
        }
    }

    private static int Rename(RawPath from, RawPath to, uint flags) =>
        RawCalls.Rename(RawCalls.AtCurrentFolder, from.Terminated, RawCalls.AtCurrentFolder, to.Terminated, flags);
}
