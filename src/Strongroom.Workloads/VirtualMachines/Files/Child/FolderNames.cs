using Strongroom.Backup.FileRecovery.Browsing;

namespace Strongroom.Workloads.VirtualMachines.Files.Child;

/// <summary>
/// The names in the folder that was listed last, in a file of ours: a folder may have more of them than memory. Sorted by bytes where they are
/// few; else in the file system's order. A position is an offset in that file.
/// </summary>
internal sealed class FolderNames(string file)
{
    private const int SortedMaxBytes = 4 << 20;

    private (string Device, byte[] Folder)? _listed;

    /// <summary>Makes the file for a folder, unless it is there.</summary>
    public void Prepare(GuestDisks disks, string device, byte[] folder)
    {
        if (_listed is var (known, of) && known == device && of.AsSpan().SequenceEqual(folder)) return;
        _listed = null;
        File.Delete(file);
        disks.ListNames(folder, file);
        if (new FileInfo(file).Length <= SortedMaxBytes) Sort();
        _listed = (device, folder);
    }

    /// <summary>Some names and the position after them; null at the end.</summary>
    /// <exception cref="FileBrowsingException">BadPosition.</exception>
    public (IReadOnlyList<byte[]> Names, long? Next) Read(long position, int count)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, 64 << 10);
        if (position < 0 || position > stream.Length) throw BadPosition();
        if (position > 0)
        {
            stream.Position = position - 1;
            if (stream.ReadByte() != 0) throw BadPosition();
        }

        var names = new List<byte[]>();
        var name = new List<byte>();
        while (names.Count < count && stream.ReadByte() is var octet and >= 0)
        {
            if (octet != 0)
            {
                // Longer than any name can be: only a broken file system has it, and it is left out below.
                if (name.Count <= FilePath.MaxNameLengthBytes) name.Add((byte)octet);
                continue;
            }

            // What cannot be a name cannot be asked for either.
            if (FilePath.IsName([.. name])) names.Add([.. name]);
            name.Clear();
        }

        return (names, stream.Position < stream.Length ? stream.Position : null);
    }

    private static FileBrowsingException BadPosition() => new(FileBrowsingFault.BadPosition, "No page of this folder ended there.");

    private void Sort()
    {
        var all = File.ReadAllBytes(file);
        var names = new List<byte[]>();
        foreach (var range in all.AsSpan().Split((byte)0))
        {
            if (all[range] is { Length: > 0 } name) names.Add(name);
        }

        names.Sort(static (a, b) => a.AsSpan().SequenceCompareTo(b));
        using var stream = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.None, 64 << 10);
        foreach (var name in names)
        {
            stream.Write(name);
            stream.WriteByte(0);
        }
    }
}
