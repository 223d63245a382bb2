using Strongroom.Bench.Measuring;

namespace Strongroom.Bench.Files;

/// <summary>Ours: <c>strongroom store</c>.</summary>
internal sealed class StrongroomFiles(string program, string round, string source, string middleFile) : FilesTool(round, source, middleFile)
{
    private string snapshot = "";

    public override string RepositoryFolder => Path.Combine(Round, "strongroom");

    public override string RestoredFolder => Path.Combine(Round, "strongroom-all");

    public override string RestoredFile => Path.Combine(Round, "strongroom-one", Path.GetFileName(MiddleFile));

    public override async Task PrepareAsync(CancellationToken cancellationToken) => await StoreAsync(["init", RepositoryFolder], cancellationToken);

    public override async Task<Usage> RunAsync(FilesStep step, CancellationToken cancellationToken)
    {
        switch (step)
        {
            case FilesStep.Restore:
                return (await StoreAsync(["restore", RepositoryFolder, "--snapshot", snapshot, "--to", RestoredFolder], cancellationToken)).Usage;
            case FilesStep.OneFile:
                string[] one = ["restore", RepositoryFolder, "--snapshot", snapshot, "--path", MiddleFile, "--to", Path.GetDirectoryName(RestoredFile)!];
                return (await StoreAsync(one, cancellationToken)).Usage;
            default:
                var done = await StoreAsync(["backup", RepositoryFolder, "--tree", Source], cancellationToken);
                snapshot = done.Json["snapshot"]!.GetValue<string>();
                return done.Usage;
        }
    }

    private Task<Outcome> StoreAsync(string[] arguments, CancellationToken cancellationToken) => CallAsync(
        [program, "store", .. arguments, "--output", "json"], new() { ["STRONGROOM_KEY_FILE"] = Path.Combine(Round, "strongroom.key") }, null, cancellationToken);
}
