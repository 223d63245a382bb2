using Strongroom.Bench.Measuring;

namespace Strongroom.Bench.Files;

/// <summary>borg as it comes, but with zstd 3 for its compression, which is the others', too.</summary>
internal sealed class BorgFiles(string round, string source, string middleFile) : FilesTool(round, source, middleFile)
{
    private int archives;

    public override string RepositoryFolder => Path.Combine(Round, "borg");

    public override string RestoredFolder => Path.Combine(Round, "borg-all");

    public override string RestoredFile => Path.Combine(Round, "borg-one", MiddleFile);

    public override Task PrepareAsync(CancellationToken cancellationToken) => BorgAsync(["init", "--encryption", "repokey-blake2"], null, cancellationToken);

    public override Task<Usage> RunAsync(FilesStep step, CancellationToken cancellationToken) => step switch
    {
        FilesStep.Restore => BorgAsync(["extract", $"::{archives}"], Directory.CreateDirectory(RestoredFolder).FullName, cancellationToken),
        FilesStep.OneFile => BorgAsync(
            ["extract", $"::{archives}", MiddleFile], Directory.CreateDirectory(Path.Combine(Round, "borg-one")).FullName, cancellationToken),
        _ => BorgAsync(["create", "--compression", "zstd,3", $"::{++archives}", "."], Source, cancellationToken),
    };

    private async Task<Usage> BorgAsync(string[] arguments, string? folder, CancellationToken cancellationToken)
    {
        var environment = new Dictionary<string, string>
        {
            ["BORG_REPO"] = RepositoryFolder,
            ["BORG_PASSPHRASE"] = "bench",
            ["BORG_BASE_DIR"] = Path.Combine(Round, "borg-base"),
        };
        return (await CallAsync(["borg", .. arguments], environment, folder, cancellationToken)).Usage;
    }
}
