using Strongroom.Bench.Measuring;

namespace Strongroom.Bench.Live;

/// <summary>restic as it comes, reading the file that the disk is kept in. What it stores is not of one moment.</summary>
internal sealed class ResticDiskTool(LiveScene scene) : LiveTool(scene)
{
    public override string Name => "restic";

    public override bool ReadsThroughQemu => false;

    public override async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await CallAsync(LiveStep.First, ["init"], cancellationToken);
        await CallAsync(LiveStep.Apart, ["init"], cancellationToken);
    }

    public override Task<LiveUsage> BackupAsync(LiveStep step, CancellationToken cancellationToken) => CallAsync(step, ["backup", Scene.Disk.Path], cancellationToken);

    private async Task<LiveUsage> CallAsync(LiveStep step, string[] arguments, CancellationToken cancellationToken)
    {
        var environment = new Dictionary<string, string>
        {
            ["RESTIC_REPOSITORY"] = RepositoryOf(step),
            ["RESTIC_PASSWORD"] = "bench",
            ["RESTIC_CACHE_DIR"] = Path.Combine(Scene.Folder, "restic-cache"),
            ["TMPDIR"] = Scene.Folder,
        };
        return LiveUsage.Of((await MeasuredProcess.RunAsync(new(["restic", "--quiet", .. arguments], Scene.Folder, environment), cancellationToken)).Usage);
    }
}
