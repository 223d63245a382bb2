using System.CommandLine;
using System.Text.Json.Nodes;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store stats</c>.</summary>
internal static class StatsVerb
{
    public static Command Create()
    {
        var command = new VerbCommand("stats", "Show how much the vault holds.");
        command.SetVerb(async (_, context, cancellationToken) =>
        {
            var vault = await context.OpenAsync(cancellationToken);
            var statistics = vault.Statistics;
            var items = vault.Snapshots.Select(snapshot => snapshot.ItemId).Distinct(StringComparer.Ordinal).Count();
            var bytesTotal = vault.Snapshots.Sum(SnapshotJson.LengthBytes);
            return new(
                new JsonObject
                {
                    ["vaultId"] = vault.VaultId,
                    ["items"] = items,
                    ["snapshots"] = statistics.Snapshots,
                    ["bytesTotal"] = bytesTotal,
                    ["bytesStored"] = statistics.BytesStored,
                    ["packs"] = statistics.Packs,
                    ["chunks"] = statistics.Chunks,
                },
                [
                    $"Vault      {vault.VaultId}",
                    $"Snapshots  {statistics.Snapshots} of {items} items, {Sizes.Text(bytesTotal)} if each were restored, folders not counted",
                    $"Stored     {Sizes.Text(statistics.BytesStored)} in {statistics.Packs} packs",
                    $"Chunks     {statistics.Chunks}",
                ]);
        });
        return command;
    }
}
