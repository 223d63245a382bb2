namespace Strongroom.Hosting;

/// <summary>
/// Writes small files so that after a crash or a power cut there is the old content or the new one, whole, and never a
/// moment in which others could read a private one. Two writers of one file must not run at once.
/// </summary>
internal static class AtomicFile
{
    /// <summary>Read and written by the owner alone.</summary>
    public const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Read by everybody who can reach it.</summary>
    public const UnixFileMode Public = Private | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>A folder for the owner alone.</summary>
    public const UnixFileMode PrivateFolder = Private | UnixFileMode.UserExecute;

    /// <summary>Replaces a file, or makes it. It is durable on return.</summary>
    /// <exception cref="IOException">The file cannot be written; the old one is untouched.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content, UnixFileMode mode)
    {
        var temporary = path + ".new";

        // What a crash left behind might have another mode, and creating does not change the mode of what exists.
        File.Delete(temporary);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = mode;
        using (var file = new FileStream(temporary, options))
        {
            // The process's mask has taken what others may from the mode above.
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(file.SafeFileHandle, mode);
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);

        // A rename is durable once the folder that holds the name is.
        if (!OperatingSystem.IsWindows())
            FolderSync.Sync(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Makes a folder for its owner alone, and says so again where it exists already.</summary>
    public static void CreatePrivateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }

        Directory.CreateDirectory(path, PrivateFolder);
        if (File.GetUnixFileMode(path) != PrivateFolder)
            File.SetUnixFileMode(path, PrivateFolder);
    }

    /// <summary>Makes an empty file for its owner alone; what exists is left as it is.</summary>
    public static void CreatePrivateFile(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = Private;
        new FileStream(path, options).Dispose();
    }
}
