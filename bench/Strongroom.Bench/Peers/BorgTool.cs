using Strongroom.Bench.Measuring;

namespace Strongroom.Bench.Peers;

/// <summary>borg with the chunker that its manual recommends for disk images: fixed, 4 MiB, holes read as holes.</summary>
internal sealed class BorgTool(Round round) : BackupTool(round)
{
    private int archives;

    private string RestoreFolder => Path.Combine(Round.Folder, "borg-restored");

    public override string RepositoryFolder => Path.Combine(Round.Folder, "borg");

    public override string RestoredPath => Path.Combine(RestoreFolder, Round.DiskName);

    public override Task PrepareAsync(CancellationToken cancellationToken) =>
        CallAsync(Round.Folder, ["init", "--encryption", "repokey-blake2"], cancellationToken);

    public override async Task<Usage?> RunAsync(Step step, CancellationToken cancellationToken)
    {
        switch (step)
        {
            case Step.FirstBackup or Step.SecondBackup:
                string[] create = ["create", "--chunker-params", "fixed,4194304", "--sparse", "--compression", "zstd,3", $"::{++archives}", Round.DiskName];
                return await CallAsync(Round.DiskFolder, create, cancellationToken);
            case Step.Restore:
                Directory.CreateDirectory(RestoreFolder);
                return await CallAsync(RestoreFolder, ["extract", "--sparse", $"::{archives}"], cancellationToken);
            case Step.Verify:
                return await CallAsync(Round.Folder, ["check", "--verify-data"], cancellationToken);
            default:
                return null;
        }
    }

    private async Task<Usage> CallAsync(string folder, string[] arguments, CancellationToken cancellationToken)
    {
        var environment = new Dictionary<string, string>
        {
            ["BORG_REPO"] = RepositoryFolder,
            ["BORG_PASSPHRASE"] = "bench",
            ["BORG_BASE_DIR"] = Path.Combine(Round.Folder, "borg-base"),
            ["TMPDIR"] = Round.Folder,
        };
        return (await MeasuredProcess.RunAsync(new(["borg", .. arguments], folder, environment), cancellationToken)).Usage;
    }
}
