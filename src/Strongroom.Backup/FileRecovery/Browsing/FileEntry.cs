using System.Text;

namespace Strongroom.Backup.FileRecovery.Browsing;

/// <summary>What a name stands for.</summary>
public enum FileKind
{
    /// <summary>A file system among others, at the top of a machine's recovery point.</summary>
    Volume,
    File,
    Directory,
    SymbolicLink,
    Fifo,
    Socket,
    CharacterDevice,
    BlockDevice,

    /// <summary>The file system has the name and cannot tell what it stands for: it is damaged there.</summary>
    Unknown,
}

/// <summary>What stands at a path of a recovery point. Everything in it comes from the machine, and is believed in nothing.</summary>
public sealed record FileEntry
{
    public required ReadOnlyMemory<byte> Name { get; init; }

    public required FileKind Kind { get; init; }

    /// <summary>Of a file its length, of a volume its size; else what the file system says.</summary>
    public long SizeBytes { get; init; }

    /// <summary>Seconds since 1970, UTC.</summary>
    public long ModifiedSeconds { get; init; }

    public int ModifiedNanoseconds { get; init; }

    /// <summary>The twelve bits of permission.</summary>
    public int Mode { get; init; }

    public long UserId { get; init; }

    public long GroupId { get; init; }

    /// <summary>Number of a device, as Linux writes it.</summary>
    public long Device { get; init; }

    /// <summary>The number that all names of a file share, in its volume.</summary>
    public long Inode { get; init; }

    /// <summary>How many names the file has.</summary>
    public long LinkCount { get; init; }

    /// <summary>Of a symbolic link.</summary>
    public ReadOnlyMemory<byte> LinkTarget { get; init; }

    /// <summary>Of a volume.</summary>
    public FileVolume? Volume { get; init; }

    /// <summary>For people: UTF-8, with U+FFFD for what is not.</summary>
    public string Text => Encoding.UTF8.GetString(Name.Span);

    /// <summary>When it was changed last; null where that is no time.</summary>
    public DateTimeOffset? ModifiedAt => Kind is FileKind.Volume or FileKind.Unknown || ModifiedSeconds is < -62135596800 or > 253402300799
        ? null
        : DateTimeOffset.FromUnixTimeSeconds(ModifiedSeconds).AddTicks(Math.Clamp(ModifiedNanoseconds, 0, 999_999_999) / 100);

    /// <summary>Whether there may be entries below it.</summary>
    public bool IsFolder => Kind == FileKind.Directory || Volume is { Unreadable: null };
}

/// <param name="FileSystem">As blkid calls it: <c>ext4</c>, <c>ntfs</c>, <c>swap</c>, <c>crypto_LUKS</c>, <c>unknown</c>.</param>
/// <param name="Label">What its owner called it.</param>
/// <param name="Unreadable">Why nothing can be read from it; null: it can be tried.</param>
public sealed record FileVolume(string FileSystem, string? Label, string? Unreadable);

/// <summary>A part of a folder.</summary>
/// <param name="Next">The position that the next part begins at; null at the end.</param>
public sealed record FilePage(IReadOnlyList<FileEntry> Entries, long? Next);
