using Strongroom.Bench.Disks;

namespace Strongroom.Bench.Peers;

/// <summary>A disk before and after its changes, one of the two at the place where it is backed up.</summary>
internal sealed class DiskStates(string folder)
{
    private bool? shown;

    public string Folder => folder;

    /// <summary>Where the disk is backed up; the path must not change, since peers remember files by it.</summary>
    public string SourceFolder => Path.Combine(folder, "source");

    public string ShownPath => Path.Combine(SourceFolder, Round.DiskName);

    public string ChangedPath => Path.Combine(folder, "changed.txt");

    /// <summary>Makes both states; what the disk holds of zeros, text and random, in bytes.</summary>
    public (long ZeroBytes, long TextBytes, long RandomBytes) Make(DiskCase disk)
    {
        Directory.CreateDirectory(SourceFolder);
        DiskMaker.Make(PathOf(isSecond: false), disk.Disk);
        var content = DiskMaker.Make(PathOf(isSecond: true), disk.Disk);
        DiskMaker.Change(PathOf(isSecond: true), disk.Change, ChangedPath);
        return content;
    }

    /// <summary>Puts one of the states at the place where it is backed up.</summary>
    public void Show(bool isSecond)
    {
        if (shown == isSecond)
            return;
        if (shown is { } other)
            File.Move(ShownPath, PathOf(other));
        File.Move(PathOf(isSecond), ShownPath);
        shown = isSecond;
    }

    private string PathOf(bool isSecond) => Path.Combine(folder, isSecond ? "second.img" : "first.img");
}
