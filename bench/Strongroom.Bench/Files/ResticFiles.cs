using Strongroom.Bench.Measuring;

namespace Strongroom.Bench.Files;

/// <summary>restic as its manual recommends it, with a cache of its own.</summary>
internal sealed class ResticFiles(string round, string source, string middleFile) : FilesTool(round, source, middleFile)
{
    public override string RepositoryFolder => Path.Combine(Round, "restic");

    public override string RestoredFolder => Path.Combine(Round, "restic-all", Source.TrimStart('/'));

    public override string RestoredFile => Path.Combine(Round, "restic-one", Source.TrimStart('/'), MiddleFile);

    public override Task PrepareAsync(CancellationToken cancellationToken) => ResticAsync(["init"], cancellationToken);

    public override Task<Usage> RunAsync(FilesStep step, CancellationToken cancellationToken) => step switch
    {
        FilesStep.Restore => ResticAsync(["restore", "latest", "--target", Path.Combine(Round, "restic-all")], cancellationToken),
        FilesStep.OneFile => ResticAsync(
            ["restore", "latest", "--include", Path.Combine(Source, MiddleFile), "--target", Path.Combine(Round, "restic-one")], cancellationToken),
        _ => ResticAsync(["backup", Source], cancellationToken),
    };

    private async Task<Usage> ResticAsync(string[] arguments, CancellationToken cancellationToken)
    {
        var environment = new Dictionary<string, string>
        {
            ["RESTIC_REPOSITORY"] = RepositoryFolder,
            ["RESTIC_PASSWORD"] = "bench",
            ["RESTIC_CACHE_DIR"] = Path.Combine(Round, "restic-cache"),
        };
        return (await CallAsync(["restic", "--quiet", .. arguments], environment, null, cancellationToken)).Usage;
    }
}
