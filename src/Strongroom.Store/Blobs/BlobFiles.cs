using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Strongroom.Store.Trees;

namespace Strongroom.Store.Blobs;

/// <summary>Finds and opens the files of blobs below a folder, never through a symbolic link: whoever may write to the folder must not choose what this process reads elsewhere.</summary>
/// <remarks>The folder itself may be reached through links. What is neither plain file nor folder is said to be that, as damage (Corrupt): it is not what the vault wrote, and must not pass for absent either.</remarks>
internal static partial class BlobFiles
{
    private const int PathOnly = 0x200000;
    private const int NotAFolder = 20;
    private const int TooManyLinks = 40;
    private const int RandomReading = 1;

    /// <summary>The length of a blob's file; null when nothing has that name, or a folder has.</summary>
    /// <exception cref="StoreException">Corrupt: no plain file, or behind a link.</exception>
    /// <exception cref="IOException">It cannot be looked at.</exception>
    public static long? FindLengthBytes(string root, string name)
    {
        if (!HasFolders(root, name))
            return null;
        return FileIdentities.Look(Path.Combine(root, name)) switch
        {
            null or { Type: FileType.Folder } => null,
            { Type: FileType.Regular } file => file.LengthBytes,
            { } other => throw NoBlob(name, other.Type),
        };
    }

    /// <summary>Opens a blob's file for reading.</summary>
    /// <exception cref="StoreException">Corrupt: no plain file, or behind a link.</exception>
    /// <exception cref="IOException">It is not there (<see cref="FileNotFoundException"/>), or cannot be opened.</exception>
    public static SafeFileHandle Open(string root, string name)
    {
        var handle = Wrap(LinuxCalls.Open(root, PathOnly | LinuxCalls.FolderOnly | LinuxCalls.CloseOnExec), root, name);
        try
        {
            var parts = name.Split('/');
            for (var i = 0; i < parts.Length; i++)
            {
                // Opening a FIFO for reading would wait for its writer.
                var flags = i < parts.Length - 1 ? PathOnly | LinuxCalls.FolderOnly : LinuxCalls.ReadOnly | LinuxCalls.NonBlocking;
                var next = Wrap(LinuxCalls.OpenAt(handle, Encoding.ASCII.GetBytes(parts[i] + '\0'), flags | LinuxCalls.NoFollow | LinuxCalls.CloseOnExec, 0), root, name);
                handle.Dispose();
                handle = next;
            }

            if (FileIdentities.TypeOf(handle) is var type and not FileType.Regular)
                throw type == FileType.Folder ? new FileNotFoundException($"'{name}' is a folder.") : NoBlob(name, type);

            // Advice: an error costs nothing but speed.
            _ = Advise(handle, 0, 0, RandomReading);
            return handle;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>False when a folder on the way to a blob is not there.</summary>
    /// <exception cref="StoreException">Corrupt: one is a link.</exception>
    public static bool HasFolders(string root, string name)
    {
        for (var end = name.IndexOf('/', StringComparison.Ordinal); end >= 0; end = name.IndexOf('/', end + 1))
        {
            var found = FileIdentities.Look(Path.Combine(root, name[..end]));
            if (found?.Type == FileType.Link)
                throw NoBlob(name[..end], FileType.Link);
            if (found?.Type != FileType.Folder)
                return false;
        }

        return true;
    }

    /// <summary>What to say of something that has the name of a blob, or of a folder of blobs, and is none.</summary>
    public static StoreException NoBlob(string name, FileType type) => StoreException.Corrupt(
        $"'{name}' is {Describe(type)}, and the vault wrote a plain file there (its folder may be reached through links, nothing in it: mount a disk where another is to be used)");

    private static string Describe(FileType type) => type switch
    {
        FileType.Link => "a symbolic link",
        FileType.Fifo => "a FIFO",
        FileType.Socket => "a socket",
        _ => "a device",
    };

    private static SafeFileHandle Wrap(int handle, string root, string name)
    {
        if (handle >= 0)
            return new(handle, ownsHandle: true);
        var error = Marshal.GetLastPInvokeError();

        // Looked at again for a better word: a link and a folder fail alike.
        if (error is NotAFolder or TooManyLinks or LinuxCalls.NoEntry && FindLengthBytes(root, name) is null)
            error = LinuxCalls.NoEntry;
        throw error switch
        {
            LinuxCalls.NoEntry => new FileNotFoundException($"'{name}' is not there."),
            LinuxCalls.NoAccess or LinuxCalls.NotPermitted => new UnauthorizedAccessException(Marshal.GetPInvokeErrorMessage(error)),
            _ => new IOException($"'{name}' cannot be opened: {Marshal.GetPInvokeErrorMessage(error)}", error),
        };
    }

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(SafeFileHandle file, long offset, long length, int advice);
}
