namespace Strongroom.Store.Simulation.PowerCut;

/// <summary>Which of the things that were not synced are on the disk afterwards.</summary>
internal enum Survival
{
    Nothing,
    Everything,

    /// <summary>Each at random, writes also in part, names also in another order than they were given.</summary>
    Some,
}

/// <summary>
/// A file system of which only what was synced is sure: a file's bytes by fsync of the file, a name by fsync of its folder. All else
/// may be there after a power cut, or not, each thing for itself.
/// </summary>
internal sealed class DiskAfterPowerCut(string root)
{
    private readonly Dictionary<string, Inode> names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Inode> sure = new(StringComparer.Ordinal);
    private readonly List<(string Folder, string Path, Inode? Target)> pending = [];

    public void Apply(SystemCall call)
    {
        switch (call.Name)
        {
            case "open" or "openat" or "creat" when call.IsCreation && IsInside(call.Path) && !names.ContainsKey(call.Path):
                Name(call.Path, new Inode(false));
                break;
            case "pwrite64" when IsInside(call.Path):
                names[call.Path].Pending.Add((call.OffsetBytes, call.Data));
                break;
            case "write" or "ftruncate" or "writev" or "pwritev" when IsInside(call.Path):
                throw new NotSupportedException($"The model does not know {call.Name} on '{call.Path}'.");
            case "fsync" when IsInside(call.Path) && !names.ContainsKey(call.Path):
            case "fsync" when call.Path == root || (names.TryGetValue(call.Path, out var folder) && folder.IsFolder):
                SyncFolder(call.Path);
                break;
            case "fsync" when IsInside(call.Path):
                names[call.Path].Sync();
                break;
            case "link" when IsInside(call.SecondPath):
                Name(call.SecondPath, names[call.Path]);
                break;
            case "rena" when IsInside(call.SecondPath):
                Name(call.SecondPath, names[call.Path]);
                Name(call.Path, null);
                break;
            case "unlin" or "rmdir" when IsInside(call.Path):
                Name(call.Path, null);
                break;
            case "mkdir" when IsInside(call.Path) && !names.ContainsKey(call.Path):
                Name(call.Path, new Inode(true));
                break;
        }
    }

    /// <summary>The files that are there when the power is back, by their names below the root; not those in <c>tmp/</c>, which are nobody's.</summary>
    public SortedDictionary<string, byte[]> Cut(Survival survival, Random random)
    {
        bool Survives() => survival switch { Survival.Nothing => false, Survival.Everything => true, _ => random.Next(2) == 0 };
        var after = new Dictionary<string, Inode>(sure, StringComparer.Ordinal);
        foreach (var (_, path, target) in pending.Where(_ => Survives()).ToList())
        {
            if (target is null)
                after.Remove(path);
            else
                after[path] = target;
        }

        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var (path, inode) in after)
        {
            var name = Path.GetRelativePath(root, path);
            if (!inode.IsFolder && !name.StartsWith("tmp/", StringComparison.Ordinal) && HasFolders(after, path))
                files[name] = inode.Content(Survives, survival == Survival.Some ? random : null);
        }

        return files;
    }

    private bool HasFolders(Dictionary<string, Inode> after, string path)
    {
        for (var folder = Path.GetDirectoryName(path)!; folder != root; folder = Path.GetDirectoryName(folder)!)
        {
            if (!after.ContainsKey(folder))
                return false;
        }

        return true;
    }

    private bool IsInside(string path) => path.StartsWith(root + "/", StringComparison.Ordinal);

    private void Name(string path, Inode? target)
    {
        if (target is null)
            names.Remove(path);
        else
            names[path] = target;
        pending.Add((Path.GetDirectoryName(path)!, path, target));
    }

    private void SyncFolder(string folder)
    {
        foreach (var (_, path, target) in pending.Where(one => one.Folder == folder))
        {
            if (target is null)
                sure.Remove(path);
            else
                sure[path] = target;
        }

        pending.RemoveAll(one => one.Folder == folder);
    }

    private sealed class Inode(bool isFolder)
    {
        private byte[] synced = [];

        public bool IsFolder => isFolder;

        public List<(long OffsetBytes, byte[] Data)> Pending { get; } = [];

        public void Sync()
        {
            synced = Content(() => true, null);
            Pending.Clear();
        }

        public byte[] Content(Func<bool> survives, Random? random)
        {
            var content = synced;
            foreach (var (offset, data) in Pending.Where(_ => survives()))
            {
                var kept = random is not null && random.Next(2) == 0 ? random.Next(data.Length + 1) : data.Length;
                if (content.Length < offset + kept)
                    Array.Resize(ref content, (int)offset + kept);
                else if (ReferenceEquals(content, synced))
                    content = [.. synced];
                data.AsSpan(0, kept).CopyTo(content.AsSpan((int)offset));
            }

            return content;
        }
    }
}
