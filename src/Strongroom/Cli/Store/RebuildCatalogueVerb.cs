using System.CommandLine;
using System.Text.Json.Nodes;
using Strongroom.Hosting;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store rebuild-catalogue</c>: makes a server's database know a vault again, from the vault's log alone.</summary>
internal static class RebuildCatalogueVerb
{
    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "The server's data folder. The server must be stopped.", Required = true };
        var command = new VerbCommand("rebuild-catalogue", "Write the recovery points that a server made into the vault back into the server's database.") { data };
        command.SetVerb((parsed, context, cancellationToken) => RunAsync(context, parsed.GetRequiredValue(data), cancellationToken));
        return command;
    }

    private static async Task<VerbResult> RunAsync(VerbContext context, string dataPath, CancellationToken cancellationToken)
    {
        if (!File.Exists(Path.Combine(dataPath, "admin.json")))
            throw new UsageException($"'{dataPath}' is not the data folder of a server: it has no admin.json. Start a server there once, or restore the file.");

        // First the vault: where it cannot be opened, nothing is made in the data folder.
        var vault = await context.OpenAsync(cancellationToken);
        using var folder = DataFolder.OpenForRepair(dataPath);
        var report = await CatalogueOfServer.RebuildAsync(vault, context.Location, folder, context.Time, cancellationToken);
        List<string> lines = report.VaultName is null
            ? [$"The vault holds nothing that a server made; {Sizes.Count(report.SnapshotsPassedOver, "snapshot")} of no server passed over."]
            :
            [
                $"Vault {report.VaultName}: {Sizes.Count(report.PointsAdded, "recovery point")} and {Sizes.Count(report.ItemsAdded, "item")} added to the catalogue, which had {report.PointsKnown} of the points already.",
                .. report.SnapshotsPassedOver > 0 ? [$"{Sizes.Count(report.SnapshotsPassedOver, "snapshot")} of no server passed over."] : Array.Empty<string>(),
                .. report.Notes,
            ];
        return new(
            new JsonObject
            {
                ["vault"] = report.VaultName,
                ["vaultsAdded"] = report.VaultsAdded,
                ["itemsAdded"] = report.ItemsAdded,
                ["pointsAdded"] = report.PointsAdded,
                ["pointsKnown"] = report.PointsKnown,
                ["snapshotsPassedOver"] = report.SnapshotsPassedOver,
                ["notes"] = new JsonArray([.. report.Notes.Select(JsonNode (note) => note)]),
            },
            lines);
    }
}
