namespace Strongroom.Bench.Disks;

/// <summary>What a file system would hold: the files below a folder in the order of their paths, each padded to 4 KiB, over and over. Not for concurrent use.</summary>
internal sealed class FileContent : IDisposable
{
    private const int BlockLengthBytes = 4096;

    // Longer files would make a small disk of a few files only.
    private const long GreatestFileLengthBytes = 8 << 20;
    private readonly IEnumerator<byte[]> files;
    private byte[] current = [];
    private int taken;

    /// <exception cref="InvalidDataException">When first read: no file below the folder can be read.</exception>
    public FileContent(string folder) => files = Repeat(folder).GetEnumerator();

    public void Fill(Span<byte> target)
    {
        while (target.Length > 0)
        {
            if (taken == current.Length)
                Advance();
            var count = Math.Min(target.Length, current.Length - taken);
            current.AsSpan(taken, count).CopyTo(target);
            taken += count;
            target = target[count..];
        }
    }

    public void Skip(long lengthBytes)
    {
        while (lengthBytes > 0)
        {
            if (taken == current.Length)
                Advance();
            var count = (int)Math.Min(lengthBytes, current.Length - taken);
            taken += count;
            lengthBytes -= count;
        }
    }

    public void Dispose() => files.Dispose();

    private void Advance()
    {
        files.MoveNext();
        current = files.Current;
        taken = 0;
    }

    private static IEnumerable<byte[]> Repeat(string folder)
    {
        while (true)
        {
            var found = false;
            foreach (var file in Walk(folder))
            {
                found = true;
                yield return file;
            }

            if (!found)
                throw new InvalidDataException($"No file below '{folder}' can be read.");
        }
    }

    private static IEnumerable<byte[]> Walk(string folder)
    {
        foreach (var entry in List(folder))
        {
            if (entry.LinkTarget is not null)
                continue;
            if (entry is DirectoryInfo)
            {
                foreach (var file in Walk(entry.FullName))
                    yield return file;
            }
            else if (TryRead((FileInfo)entry) is { } padded)
            {
                yield return padded;
            }
        }
    }

    private static List<FileSystemInfo> List(string folder)
    {
        try
        {
            return [.. new DirectoryInfo(folder).EnumerateFileSystemInfos().OrderBy(entry => entry.Name, StringComparer.Ordinal)];
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // A folder that cannot be read holds nothing for this purpose.
            return [];
        }
    }

    private static byte[]? TryRead(FileInfo file)
    {
        try
        {
            if (file.Length is 0 or > GreatestFileLengthBytes || (file.Attributes & FileAttributes.Device) != 0)
                return null;
            var bytes = File.ReadAllBytes(file.FullName);
            Array.Resize(ref bytes, (bytes.Length + BlockLengthBytes - 1) / BlockLengthBytes * BlockLengthBytes);
            return bytes;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
