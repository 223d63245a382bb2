using Strongroom.Bench.Measuring;

namespace Strongroom.Bench.Live;

/// <summary>Debian's virtnbdbackup as it comes: its own format, not compressed.</summary>
internal sealed class VirtNbdBackupTool(LiveScene scene) : LiveTool(scene)
{
    public override string Name => "virtnbdbackup";

    public override bool ReadsThroughQemu => true;

    public override Task PrepareAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override async Task<LiveUsage> BackupAsync(LiveStep step, CancellationToken cancellationToken)
    {
        var host = Scene.Machine.Host;
        string[] command =
        [
            // With a transport in it, it asks for a user and a password; libvirt takes the socket without.
            "virtnbdbackup", "-U", host.Uri.Replace("qemu+unix:", "qemu:", StringComparison.Ordinal), "-d", Scene.Machine.Name, "-i", Scene.Disk.Target,
            "-l", step switch { LiveStep.First => "full", LiveStep.Second => "inc", _ => "copy" },
            "-o", RepositoryOf(step), "-S", host.Folders.Scratch, "-f", Path.Combine(host.Folders.Sockets, "virtnbdbackup"), "--noprogress",
        ];
        return LiveUsage.Of((await MeasuredProcess.RunAsync(new(command, Scene.Folder, new Dictionary<string, string>()), cancellationToken)).Usage);
    }
}
