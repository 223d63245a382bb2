namespace Strongroom.Backup.FileRecovery.Browsing;

/// <summary>Why files of a recovery point cannot be shown.</summary>
public enum FileBrowsingFault
{
    NotFound,

    /// <summary>A folder was asked for, and there is something else.</summary>
    NotAFolder,

    /// <summary>A file was asked for, and there is something else.</summary>
    NotAFile,

    /// <summary>A position that no page ended at.</summary>
    BadPosition,

    /// <summary>The volume cannot be read: encrypted, no file system, or one that is not known.</summary>
    Unreadable,

    /// <summary>The file system is damaged there, or the recovery point could not be read.</summary>
    Damaged,

    /// <summary>Too many recovery points are being looked into.</summary>
    Busy,

    /// <summary>The server lacks a program that it needs for this.</summary>
    NotInstalled,

    /// <summary>The process that reads file systems ended, took too long, or talked nonsense.</summary>
    ReaderFailed,
}

/// <summary>Files of a recovery point cannot be shown. The message is for the caller.</summary>
public sealed class FileBrowsingException(FileBrowsingFault fault, string message) : Exception(message)
{
    public FileBrowsingFault Fault { get; } = fault;
}
