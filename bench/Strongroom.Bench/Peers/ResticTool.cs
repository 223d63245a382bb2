using Strongroom.Bench.Measuring;

namespace Strongroom.Bench.Peers;

/// <summary>restic as its manual recommends it, with a cache of its own.</summary>
internal sealed class ResticTool(Round round) : BackupTool(round)
{
    private string RestoreFolder => Path.Combine(Round.Folder, "restic-restored");

    public override string RepositoryFolder => Path.Combine(Round.Folder, "restic");

    public override string RestoredPath => Path.Combine(RestoreFolder, Path.Combine(Round.DiskFolder, Round.DiskName).TrimStart('/'));

    public override Task PrepareAsync(CancellationToken cancellationToken) => CallAsync(["init"], cancellationToken);

    public override async Task<Usage?> RunAsync(Step step, CancellationToken cancellationToken) => step switch
    {
        Step.FirstBackup or Step.SecondBackup => await CallAsync(["backup", Path.Combine(Round.DiskFolder, Round.DiskName)], cancellationToken),
        Step.Restore => await CallAsync(["restore", "latest", "--target", RestoreFolder], cancellationToken),
        Step.Verify => await CallAsync(["check", "--read-data"], cancellationToken),
        _ => null,
    };

    private async Task<Usage> CallAsync(string[] arguments, CancellationToken cancellationToken)
    {
        var environment = new Dictionary<string, string>
        {
            ["RESTIC_REPOSITORY"] = RepositoryFolder,
            ["RESTIC_PASSWORD"] = "bench",
            ["RESTIC_CACHE_DIR"] = Path.Combine(Round.Folder, "restic-cache"),
            ["TMPDIR"] = Round.Folder,
        };
        return (await MeasuredProcess.RunAsync(new(["restic", "--quiet", .. arguments], Round.Folder, environment), cancellationToken)).Usage;
    }
}
