namespace Strongroom.Store.Blobs;

/// <summary>The blobs below a folder, one folder in memory at a time.</summary>
internal static class LocalListing
{
    /// <summary>In the order of names as bytes. What is no plain file is listed with no length; reading it says what it is. Files and folders with names that no blob has are somebody else's and passed over.</summary>
    /// <param name="folder">Where to begin.</param>
    /// <param name="prefix">What the names begin with: empty, or ending with a slash.</param>
    /// <param name="skipped">A folder directly below <paramref name="folder"/> that holds no blobs; may be null.</param>
    public static IEnumerable<BlobInfo> Enumerate(string folder, string prefix, string? skipped)
    {
        foreach (var entry in Read(folder))
        {
            var name = prefix + entry.Name;
            if (!BlobName.IsValid(name) || entry.FullName == skipped)
                continue;
            if (IsFolder(entry))
            {
                foreach (var blob in Enumerate(entry.FullName, name + "/", null))
                    yield return blob;
            }
            else if (LengthOf(entry.FullName, name) is { } length)
            {
                yield return new(name, length);
            }
        }
    }

    private static bool IsFolder(FileSystemInfo entry) => entry is DirectoryInfo && !entry.Attributes.HasFlag(FileAttributes.ReparsePoint);

    private static List<FileSystemInfo> Read(string folder)
    {
        try
        {
            // A folder sorts with the slash that follows its name: 'a-b', 'a.b', 'a/...', 'a0'.
            return [.. new DirectoryInfo(folder).EnumerateFileSystemInfos()
                .OrderBy(entry => IsFolder(entry) ? entry.Name + "/" : entry.Name, StringComparer.Ordinal)];
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return IsAbsent(folder, failure) ? [] : throw LocalFailures.Translate(failure is UnauthorizedAccessException ? failure : new IOException(failure.Message, failure), folder);
        }
    }

    /// <summary>No folder, or a file of its name. What cannot be looked at, such as a link that leads nowhere, must not pass for that.</summary>
    private static bool IsAbsent(string folder, Exception failure) =>
        (failure is DirectoryNotFoundException || (failure is IOException && File.Exists(folder))) && new FileInfo(folder).LinkTarget is null;

    private static long? LengthOf(string path, string name)
    {
        try
        {
            // Null: deleted since the folder was read.
            return FileIdentities.Look(path) is { } found ? found.Type == FileType.Regular ? found.LengthBytes : 0 : null;
        }
        catch (IOException failure)
        {
            throw LocalFailures.Translate(failure, name);
        }
    }
}
