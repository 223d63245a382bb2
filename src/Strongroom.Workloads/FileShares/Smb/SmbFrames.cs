namespace Strongroom.Workloads.FileShares.Smb;

/// <summary>What the server asks the process that speaks SMB. A time is i64 seconds since 1970 and i32 nanoseconds; a path is bytes, UTF-8, with slashes, from the share's folder.</summary>
internal enum SmbRequest : byte
{
    /// <summary>bytes host, bytes share (empty: only the shares are listed), bytes domain, bytes user, bytes password. Answer: u8 access rights can be read (1) or not (0).</summary>
    Open = 1,

    /// <summary>Answer: i32 count, and so many names as bytes: the shares for files.</summary>
    ListShares,

    /// <summary>path. Answer: as of <see cref="More"/>.</summary>
    List,

    /// <summary>Goes on with the listing. Answer: i32 count, and so many entries: bytes name, i64 length, i32 DOS attributes, times of birth, change and last write, i64 inode. None: its end.</summary>
    More,

    /// <summary>path. Answer: u8 folder (1) or not (0), i64 length, time of last write, time of change, i64 inode.</summary>
    Find,

    /// <summary>path. Answer: bytes, the security descriptor in libsmbclient's words.</summary>
    ReadSecurity,

    /// <summary>path, u8 new for writing (1) or there for reading (0). Answer: i32 handle.</summary>
    OpenFile,

    /// <summary>i32 handle. Answer: i64 length, time of last write, time of change.</summary>
    State,

    /// <summary>i32 handle, i64 offset, i32 length. Answer: what was read, to the frame's end.</summary>
    Read,

    /// <summary>i32 handle, i64 offset, bytes to the frame's end.</summary>
    Write,

    /// <summary>i32 handle.</summary>
    Close,

    /// <summary>path from, path to: in the place of what is there.</summary>
    Rename,

    /// <summary>path of a file.</summary>
    Delete,

    /// <summary>path.</summary>
    MakeFolder,

    /// <summary>path, i32 DOS attributes: folder or normal, time of birth (0: stays), time of last write. Takes all other attributes away.</summary>
    SetTimes,

    /// <summary>path, bytes: the security descriptor in libsmbclient's words.</summary>
    WriteSecurity,

    /// <summary>path, i32: of the DOS attributes read-only, hidden, system and archive.</summary>
    SetAttributes,
}

/// <summary>How an answer begins.</summary>
internal enum SmbAnswer : byte
{
    /// <summary>The fields follow.</summary>
    Done,

    /// <summary>i32, an error of errno(3): it concerns what was asked for.</summary>
    Failed,

    /// <summary>i32, an error of errno(3): the share does not answer any more.</summary>
    Lost,

    /// <summary>libsmbclient is not there.</summary>
    NoLibrary,
}

/// <summary>
/// The protocol between the server and the process that speaks SMB, over its standard input and output: a request, then its answer. Each is a frame: i32 length of the rest,
/// u8 (a <see cref="SmbRequest"/> or a <see cref="SmbAnswer"/>), fields. Numbers are little-endian; bytes are i32 length and the bytes.
/// </summary>
internal static class SmbFrames
{
    /// <summary>The longest frame without its length.</summary>
    public const int MaxBytes = 8 << 20;

    /// <summary>The most that is read or written at once.</summary>
    public const int MaxPieceBytes = 1 << 20;

    /// <summary>The most entries in an answer.</summary>
    public const int MaxEntries = 2000;

    /// <summary>The longest name in bytes: 255 UTF-16 units.</summary>
    public const int MaxNameBytes = 1024;

    /// <summary>The longest security descriptor as text.</summary>
    public const int MaxSecurityBytes = 256 << 10;
}
