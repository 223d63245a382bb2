using System.Text;

namespace Strongroom.Store;

/// <summary>What an entry of a tree is. The numbers are the format's.</summary>
public enum TreeEntryKind : byte
{
    File = 1,
    Folder = 2,
    SymbolicLink = 3,
    Fifo = 4,
    Socket = 5,
    CharacterDevice = 6,
    BlockDevice = 7,
}

/// <summary>What is to be known of an entry beside its metadata.</summary>
[Flags]
public enum TreeEntryFlags : byte
{
    None = 0,

    /// <summary>The file changed each time that it was read: its content may be of two moments.</summary>
    ChangedWhileRead = 1,

    /// <summary>The file took less room than its length: its zeros are restored as holes.</summary>
    Sparse = 2,

    /// <summary>Its change time does not tell it from a later state; the next backup reads it again.</summary>
    NotSettled = 4,
}

/// <summary>A time of a file system: seconds since 1970 (negative before) and nanoseconds below 10^9.</summary>
public readonly record struct FileTime(long Seconds, int Nanoseconds)
{
    private const long LeastSeconds = -62_135_596_800;
    private const long GreatestSeconds = 253_402_300_799;

    /// <summary>The same, to 100 ns, and within the years 1 to 9999.</summary>
    public DateTimeOffset ToDateTimeOffset() =>
        DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(Seconds, LeastSeconds, GreatestSeconds)).AddTicks(Nanoseconds / 100);
}

/// <summary>An extended attribute; its name is UTF-8 on every system that we know, and kept as bytes.</summary>
public sealed record ExtendedAttribute(ReadOnlyMemory<byte> Name, ReadOnlyMemory<byte> Value);

/// <summary>A file, folder or other thing of a tree, with all that is kept of it. Immutable.</summary>
public sealed record TreeEntry
{
    public required TreeEntryKind Kind { get; init; }

    public TreeEntryFlags Flags { get; init; }

    /// <summary>The name as bytes, in whatever encoding; empty for the tree's own folder.</summary>
    public required ReadOnlyMemory<byte> Name { get; init; }

    /// <summary>The name for people: what is not UTF-8 in it is replaced.</summary>
    public string NameText => Encoding.UTF8.GetString(Name.Span);

    /// <summary>Permission bits, set-uid, set-gid and sticky: the low 12 bits of <c>st_mode</c>.</summary>
    public int Mode { get; init; }

    public uint UserId { get; init; }

    public uint GroupId { get; init; }

    /// <summary>The user's name where it was backed up; empty when unknown.</summary>
    public string UserName { get; init; } = "";

    /// <summary>The group's name where it was backed up; empty when unknown.</summary>
    public string GroupName { get; init; } = "";

    public FileTime ModifiedAt { get; init; }

    public FileTime ChangedAt { get; init; }

    public ulong Inode { get; init; }

    /// <summary>0 for the file system of the tree's folder; others are numbered as they were met.</summary>
    public uint Device { get; init; }

    /// <summary>How many names the file had, in the tree or not.</summary>
    public uint Links { get; init; } = 1;

    public IReadOnlyList<ExtendedAttribute> Attributes { get; init; } = [];

    /// <summary>A symbolic link's target as bytes.</summary>
    public ReadOnlyMemory<byte> LinkTarget { get; init; }

    public uint DeviceMajor { get; init; }

    public uint DeviceMinor { get; init; }

    /// <summary>False when the file could not be read or the folder not be listed: then there is nothing to restore.</summary>
    public bool HasContent => Kind is not (TreeEntryKind.File or TreeEntryKind.Folder) || Inline is not null || Stream is not null;

    /// <summary>A file's length in bytes; 0 for all else.</summary>
    public long LengthBytes => Kind == TreeEntryKind.File ? Inline?.Length ?? Stream?.LengthBytes ?? 0 : 0;

    /// <summary>The content of a very small file.</summary>
    internal byte[]? Inline { get; init; }

    /// <summary>The content of a file, or the pages of a folder.</summary>
    internal StreamRef? Stream { get; init; }

    /// <summary>True for entries that are one file with others of the tree.</summary>
    internal bool IsLinked => Links > 1 && Kind != TreeEntryKind.Folder;
}
