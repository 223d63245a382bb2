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
                    ["packsQuarantined"] = vault.QuarantinedPacks,
                    ["chunks"] = statistics.Chunks,
                },
                [
                    $"Vault      {vault.VaultId}",
                    $"Snapshots  {statistics.Snapshots} of {Sizes.Count(items, "item")}, {Sizes.Text(bytesTotal)} if each were restored, folders not counted",
                    $"Stored     {Sizes.Text(statistics.BytesStored)} in {Sizes.Count(statistics.Packs, "pack")}",
                    $"Chunks     {statistics.Chunks}",
                    .. vault.QuarantinedPacks > 0 ? [$"DAMAGE     {Sizes.Count(vault.QuarantinedPacks, "pack")} in quarantine; 'verify' names the snapshots that need them"] : Array.Empty<string>(),
                ]);
        });
        return command;
    }
}
