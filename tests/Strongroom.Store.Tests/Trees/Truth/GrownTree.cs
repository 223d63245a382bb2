using System.Text;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Trees.Truth;

/// <summary>A folder that grows and changes at random with all kinds of things that Linux knows, the same for the same seed. What only root may make is left out for others.</summary>
internal sealed partial class GrownTree
{
    private static readonly int[] Lengths = [0, 1, 511, 512, 513, 4096, 70_000, 262_144, 300_000];
    private readonly Random random;
    private readonly RawPath top;
    private int made;

    public GrownTree(string folder, int seed)
    {
        Directory.CreateDirectory(folder);
        top = new(folder);
        random = new(seed);
    }

    public static bool IsRoot { get; } = Environment.IsPrivilegedProcess;

    /// <summary>Adds so many things.</summary>
    public void Grow(int count)
    {
        for (var i = 0; i < count; i++)
            Add();
    }

    private void Add()
    {
        var folder = PickFolder();
        var path = folder.Join(Name());
        var kind = random.Next(12);
        if (kind < 3)
            RawCalls.Require(RawCalls.MakeFolder(path.Terminated, 0x1C0), "mkdir");
        else if (kind == 3)
            RawCalls.Require(RawCalls.MakeSymbolicLink(random.Next(2) == 0 ? "../no/where at all\0"u8.ToArray() : [0xFF, 0x2F, 0x80, 0x41, 0], path.Terminated), "symlink");
        else if (kind == 4)
            RawCalls.Require(RawCalls.MakeNode(path.Terminated, random.Next(2) == 0 ? 0x1000u : 0xC000u, 0), "mknod");
        else if (kind == 5 && IsRoot)
            RawCalls.Require(RawCalls.MakeNode(path.Terminated, random.Next(2) == 0 ? 0x2000u : 0x6000u, 0x1_0307), "mknod");
        else if (kind == 6 && Pick(type => type != RawStat.Folder) is { } other)
            RawCalls.Require(RawCalls.Link(other.Terminated, path.Terminated), "link");
        else
            WriteFile(path);
        if (random.Next(2) == 0)
            ChangeMetadata(path);
    }

    private void WriteFile(RawPath path)
    {
        using var file = path.Open(0x42);
        var content = TestVault.Noise(random.Next(), Lengths[random.Next(Lengths.Length)]);
        switch (random.Next(4))
        {
            case 0:
                // Holes before, between and behind.
                RandomAccess.SetLength(file, random.Next(3_000_000));
                RandomAccess.Write(file, content, random.Next(2_000_000));
                RandomAccess.Write(file, [1], 0);
                break;
            case 1:
                RandomAccess.Write(file, new byte[random.Next(400_000)], 0);
                RandomAccess.Write(file, content, 300_000);
                break;
            default:
                RandomAccess.Write(file, content, 0);
                break;
        }
    }

    private void ChangeMetadata(RawPath path)
    {
        var type = path.Stat().Type;
        if (IsRoot && random.Next(2) == 0)
            RawCalls.Require(RawCalls.ChangeOwner(path.Terminated, (uint)random.Next(3) * 1000, (uint)random.Next(70_000)), "chown");

        // What its owner may not write to cannot get attributes from him; folders stay open to him so that the tree can change.
        if (type != RawStat.SymbolicLink)
            RawCalls.Require(RawCalls.ChangeMode(path.Terminated, (uint)((type == RawStat.Folder ? 0x1C0 : 0x180) | random.Next(0x1000))), "chmod");
        foreach (var (name, value) in AttributesFor(type))
        {
            if (random.Next(4) == 0 && RawCalls.SetAttribute(path.Terminated, name, value, value.Length, 0) == 0)
                attributesSet++;
        }

        SetModified(path, random.NextInt64(-1_000_000_000, 4_000_000_000), random.Next(1_000_000_000));
    }

    private IEnumerable<(byte[] Name, byte[] Value)> AttributesFor(int type)
    {
        if (type is RawStat.File or RawStat.Folder)
        {
            yield return ("user.note\0"u8.ToArray(), TestVault.Noise(random.Next(), random.Next(200)));
            yield return ("user.empty\0"u8.ToArray(), []);
            yield return ("system.posix_acl_access\0"u8.ToArray(), AccessList(5));
        }

        if (type == RawStat.Folder)
            yield return ("system.posix_acl_default\0"u8.ToArray(), AccessList(7));
        if (!IsRoot)
            yield break;
        yield return ("trusted.overlay\0"u8.ToArray(), TestVault.Noise(random.Next(), random.Next(100)));
        yield return ("security.NTACL\0"u8.ToArray(), TestVault.Noise(random.Next(), 3000));

        // CAP_NET_BIND_SERVICE, permitted and effective, as setcap(8) writes it.
        if (type == RawStat.File)
            yield return ("security.capability\0"u8.ToArray(), [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }

    /// <summary>How many attributes the file system has taken.</summary>
    public int AttributesSet => attributesSet;

    private int attributesSet;

    /// <summary>An ACL as the kernel takes it: owner, user 1234, group, mask, others.</summary>
    private static byte[] AccessList(ushort rights)
    {
        (ushort Tag, ushort Rights, uint Id)[] entries = [(1, 7, uint.MaxValue), (2, rights, 1234), (4, 4, uint.MaxValue), (0x10, rights, uint.MaxValue), (0x20, 0, uint.MaxValue)];
        return [2, 0, 0, 0, .. entries.SelectMany(entry => (byte[])[.. BitConverter.GetBytes(entry.Tag), .. BitConverter.GetBytes(entry.Rights), .. BitConverter.GetBytes(entry.Id)])];
    }

    private static void SetModified(RawPath path, long seconds, long nanoseconds) => RawCalls.Require(
        RawCalls.ChangeTimes(RawCalls.AtCurrentFolder, path.Terminated, [seconds, nanoseconds, seconds, nanoseconds], RawCalls.NoFollow), "utimens");

    private byte[] Name()
    {
        made++;
        return random.Next(4) switch
        {
            0 => [.. Encoding.ASCII.GetBytes($"{made}-"), 0xC3, 0x28, 0xFF, (byte)random.Next(1, 46)],
            1 => Encoding.UTF8.GetBytes($"ünï cødé \n {made}"),
            2 => Encoding.ASCII.GetBytes($"{new string('x', random.Next(1, 240))}{made}"),
            _ => Encoding.ASCII.GetBytes($".{made}\\*?"),
        };
    }

    private RawPath PickFolder() => random.Next(3) == 0 ? top : Pick(type => type == RawStat.Folder) ?? top;

    private RawPath? Pick(Func<int, bool> isWanted)
    {
        var found = All().Where(entry => isWanted(entry.Type)).ToList();
        return found.Count == 0 ? null : found[random.Next(found.Count)].Path;
    }

    /// <summary>All but the top, in the order of their names.</summary>
    private IEnumerable<(RawPath Path, int Type)> All()
    {
        var pending = new Stack<RawPath>([top]);
        while (pending.TryPop(out var folder))
        {
            foreach (var name in folder.Names().OrderBy(Encoding.Latin1.GetString, StringComparer.Ordinal))
            {
                var path = folder.Join(name);
                var type = path.Stat().Type;
                yield return (path, type);
                if (type == RawStat.Folder)
                    pending.Push(path);
            }
        }
    }
}
