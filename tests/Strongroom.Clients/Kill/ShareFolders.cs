namespace Strongroom.Clients.Kill;

/// <summary>The folder that has the shares of a test in it: a Btrfs of its own where one can be mounted, else a plain folder.</summary>
internal sealed class ShareFolders : IAsyncDisposable
{
    private const long ImageLengthBytes = 2L << 30;

    private ShareFolders(string path, bool isBtrfs)
    {
        Path = path;
        IsBtrfs = isBtrfs;
    }

    public string Path { get; }

    public bool IsBtrfs { get; }

    /// <summary>Makes the folder and mounts a new Btrfs on it.</summary>
    /// <param name="isRequired">Skips the test where that cannot be.</param>
    public static async Task<ShareFolders> MountAsync(TempFolder folder, bool isRequired, CancellationToken cancellationToken)
    {
        var path = Directory.CreateDirectory(folder.Combine("shares")).FullName;
        if (await FindObstacleAsync(folder.Combine("image"), path, cancellationToken) is not { } why) return new(path, isBtrfs: true);
        if (isRequired) Peer.Unsupported(why);
        return new(path, isBtrfs: false);
    }

    /// <summary>Makes the folder of a share: a subvolume, where there are some.</summary>
    public async Task MakeAsync(params string[] names)
    {
        var path = System.IO.Path.Combine([Path, .. names]);
        if (IsBtrfs) await RunAsync("btrfs", "subvolume", "create", path);
        else Directory.CreateDirectory(path);
    }

    /// <summary>How many subvolumes there are.</summary>
    public async Task<int> CountSubvolumesAsync() => IsBtrfs ? (await RunAsync("btrfs", "subvolume", "list", Path)).StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length : 0;

    public async ValueTask DisposeAsync()
    {
        if (IsBtrfs) await RunAsync("umount", "--lazy", Path);
    }

    private static async Task<string?> FindObstacleAsync(string image, string path, CancellationToken cancellationToken)
    {
        if (Environment.UserName != "root") return "Only root can mount a file system.";
        if (Peer.Find("mkfs.btrfs") is not { } make) return "There is no mkfs.btrfs (btrfs-progs).";
        using (var file = File.OpenHandle(image, FileMode.CreateNew, FileAccess.Write)) RandomAccess.SetLength(file, ImageLengthBytes);
        await RunAsync(make, "-q", image);
        var mounted = await CommandResult.RunAsync("mount", ["-o", "loop", image, path], null, cancellationToken);
        return mounted.ExitCode == 0 ? null : $"No Btrfs can be mounted here: {mounted.StandardError}";
    }

    private static async Task<CommandResult> RunAsync(string program, params string[] arguments) =>
        (await CommandResult.RunAsync(program, arguments, null, CancellationToken.None)).Succeeded();
}
