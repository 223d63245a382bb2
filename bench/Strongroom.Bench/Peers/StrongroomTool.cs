using System.Globalization;
using System.Text.Json.Nodes;
using Strongroom.Bench.Measuring;

namespace Strongroom.Bench.Peers;

/// <summary>Ours: <c>strongroom store</c>, or this program's own steps, which take the same arguments.</summary>
/// <remarks>The second backup is made twice, each in a vault that holds the first: once told what changed, once not.</remarks>
internal sealed class StrongroomTool(Round round, IReadOnlyList<string> command) : BackupTool(round)
{
    private string first = "";
    private string second = "";

    public override string RepositoryFolder => Path.Combine(Round.Folder, "strongroom");

    public override string RestoredPath => Path.Combine(Round.Folder, "strongroom-restored.img");

    private string DiskPath => Path.Combine(Round.DiskFolder, Round.DiskName);

    private Dictionary<string, string> Settings => new()
    {
        ["STRONGROOM_KEY_FILE"] = Path.Combine(Round.Folder, "strongroom.key"),
        ["TMPDIR"] = Round.Folder,
    };

    public override async Task PrepareAsync(CancellationToken cancellationToken) =>
        await CallAsync(["init", RepositoryFolder], cancellationToken);

    public override async Task<Usage?> RunAsync(Step step, CancellationToken cancellationToken)
    {
        switch (step)
        {
            case Step.FirstBackup:
                var made = await CallAsync(["backup", RepositoryFolder, "--image", DiskPath], cancellationToken);
                first = SnapshotOf(made);
                return made.Usage;
            case Step.SecondBackupKnown:
                var known = await CallAsync(
                    ["backup", RepositoryFolder, "--image", DiskPath, "--changed", Round.ChangedPath, "--parent", first], cancellationToken);
                second = SnapshotOf(known);
                return known.Usage;
            case Step.SecondBackup:
                return (await CallAsync(["backup", RepositoryFolder, "--image", DiskPath, "--parent", first], cancellationToken)).Usage;
            case Step.Restore:
                return (await CallAsync(["restore", RepositoryFolder, "--snapshot", second, "--to", RestoredPath], cancellationToken)).Usage;
            default:
                return (await CallAsync(["verify", RepositoryFolder, "--read-data"], cancellationToken)).Usage;
        }
    }

    /// <summary>Random reads of the first recovery point, in a process of their own.</summary>
    public async Task<JsonNode> ReadAsync(string originalPath, int count, CancellationToken cancellationToken)
    {
        string[] arguments =
        [
            MeasuredProcess.Self, "step", "read", RepositoryFolder, "--snapshot", first, "--original", originalPath,
            "--count", count.ToString(CultureInfo.InvariantCulture),
        ];
        var done = await MeasuredProcess.RunAsync(new(arguments, Round.Folder, Settings), cancellationToken);
        var json = done.Json;
        json["peakRssBytes"] = done.Usage.PeakRssBytes;
        return json;
    }

    private static string SnapshotOf(Outcome done) =>
        done.Json["snapshot"]?.GetValue<string>() ?? throw new InvalidDataException($"The backup did not name its snapshot: {done.Output}");

    private Task<Outcome> CallAsync(string[] arguments, CancellationToken cancellationToken) =>
        MeasuredProcess.RunAsync(new([.. command, .. arguments, "--output", "json"], Round.Folder, Settings), cancellationToken);
}
