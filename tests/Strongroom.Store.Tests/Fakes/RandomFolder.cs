using System.Text;
using Strongroom.Store.Trees;

namespace Strongroom.Store.Tests.Fakes;

/// <summary>Fills a folder with all kinds of things, the same for the same seed.</summary>
internal sealed class RandomFolder(int seed)
{
    private static readonly int[] Lengths = [0, 1, 511, 512, 513, 4096, 70_000, 262_144, 300_000, 1_500_000];
    private readonly Random random = new(seed);
    private readonly List<(string Folder, byte[] Name)> files = [];

    public static bool IsRoot { get; } = LinuxCalls.EffectiveUser() == 0;

    public void Fill(string path, int count, int depth = 0)
    {
        Directory.CreateDirectory(path);
        using var folder = FolderHandle.Open(path);
        for (var i = 0; i < count; i++)
        {
            if (depth < 4 && random.Next(5) == 0)
            {
                Fill(Path.Combine(path, $"folder {i} é"), random.Next(count), depth + 1);
                continue;
            }

            var name = Name(i);
            if (Make(path, folder, name))
                SetMetadata(folder, name);
        }

        FolderHandle.SetMode(folder.Handle, 0x1C0 | random.Next(0x200));
        TrySetAttribute(attribute => AttributeCalls.TrySet(folder.Handle, attribute));
        FolderHandle.SetModified(folder.Handle, Time());
    }

    /// <summary>False for a further name, whose metadata is that of the file.</summary>
    private bool Make(string path, FolderHandle folder, byte[] name)
    {
        switch (random.Next(10))
        {
            case 0:
                folder.MakeSymbolicLink(name, random.Next(2) == 0 ? "../nowhere/at all"u8 : [0xFF, 0x2F, 0x80, 0x41]);
                return true;
            case 1:
                folder.MakeNode(name, random.Next(2) == 0 ? TreeEntryKind.Fifo : TreeEntryKind.Socket, 0, 0);
                return true;
            case 2 when IsRoot:
                folder.MakeNode(name, random.Next(2) == 0 ? TreeEntryKind.CharacterDevice : TreeEntryKind.BlockDevice, 259, 70_000);
                return true;
            case 3 when files.Count > 0:
                var (where, first) = files[random.Next(files.Count)];
                using (var other = FolderHandle.Open(where))
                    Assert.True(folder.TryLink(other, first, name));
                return false;
            default:
                using (var file = folder.CreateFile(name))
                {
                    if (random.Next(5) == 0)
                        RandomAccess.SetLength(file, random.Next(3_000_000));
                    RandomAccess.Write(file, TestVault.Noise(random.Next(), Lengths[random.Next(Lengths.Length)]), random.Next(3) == 0 ? 700_000 : 0);
                }

                files.Add((path, name));
                return true;
        }
    }

    private byte[] Name(int i) => random.Next(4) switch
    {
        0 => [.. Encoding.ASCII.GetBytes($"{i}-"), 0xC3, 0x28, 0xFF, (byte)random.Next(1, 46)],
        1 => Encoding.UTF8.GetBytes($"ünï cødé \n {i}"),
        2 => Encoding.ASCII.GetBytes($"{new string('x', random.Next(1, 240))}{i}"),
        _ => Encoding.ASCII.GetBytes($".{i}\\*?"),
    };

    private void SetMetadata(FolderHandle folder, byte[] name)
    {
        if (IsRoot)
            folder.TrySetOwner(name, (uint)random.Next(3) * 1000, (uint)random.Next(70_000));
        var kind = folder.Stat(name).Kind;
        if (kind == TreeEntryKind.File)
            TrySetAttribute(attribute => AttributeCalls.TrySet(folder, name, attribute));
        if (kind != TreeEntryKind.SymbolicLink)
            folder.SetMode(name, 0x100 | random.Next(0x1000));
        folder.SetModified(name, Time());
    }

    private void TrySetAttribute(Func<ExtendedAttribute, bool> set)
    {
        // A file system without attributes is tested without them.
        if (random.Next(3) == 0)
            set(new("user.note"u8.ToArray(), TestVault.Noise(random.Next(), random.Next(200))));
        if (random.Next(3) == 0)
            set(new("system.posix_acl_access"u8.ToArray(), AccessList()));
    }

    /// <summary>An ACL as the kernel takes it: owner, user 1234, group, mask, others.</summary>
    private static byte[] AccessList()
    {
        (ushort Tag, ushort Rights, uint Id)[] lines = [(1, 7, uint.MaxValue), (2, 5, 1234), (4, 4, uint.MaxValue), (0x10, 5, uint.MaxValue), (0x20, 0, uint.MaxValue)];
        return [2, 0, 0, 0, .. lines.SelectMany(line => (byte[])[.. BitConverter.GetBytes(line.Tag), .. BitConverter.GetBytes(line.Rights), .. BitConverter.GetBytes(line.Id)])];
    }

    private FileTime Time() => new(random.NextInt64(-1_000_000_000, 4_000_000_000), random.Next(1_000_000_000));
}
