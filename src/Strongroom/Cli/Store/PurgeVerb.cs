using System.CommandLine;
using System.Text.Json.Nodes;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store purge</c>: gives deleted snapshots up for good.</summary>
internal static class PurgeVerb
{
    public static Command Create()
    {
        var ids = new Argument<string[]>("SNAPSHOT") { Description = "Ids of deleted snapshots, before their time; without any those whose time has come.", Arity = ArgumentArity.ZeroOrMore };
        var command = new VerbCommand("purge", "Give deleted snapshots up for good; 'gc' gives their room back.") { ids };
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            var vault = await context.OpenAsync(cancellationToken);
            IReadOnlyList<SnapshotId> purged = [.. (parsed.GetValue(ids) ?? []).Select(id => SnapshotChoice.FindDeleted(vault, id).Id).Distinct()];
            if (purged.Count > 0)
                await vault.Governance.PurgeNowAsync(purged, cancellationToken);
            else
                purged = await vault.Governance.PurgeAsync(cancellationToken);
            // Somebody who knows that time has come should not be left to guess why nothing goes.
            var uncounted = vault.Governance.SoftDeleted.Count > 0 ? (int)Math.Round(vault.Governance.UncountedTime.TotalDays) : 0;
            return new(
                new() { ["purged"] = new JsonArray([.. purged.Select(JsonNode (id) => id.Value)]), ["uncountedDays"] = uncounted },
                [
                    .. purged.Select(id => $"Purged {id}."),
                    $"{Sizes.Count(purged.Count, "snapshot")} gone for good.",
                    .. uncounted > 0 ? (string[])[$"{Sizes.Count(uncounted, "day")} in which the vault was not written to do not count for what was deleted before; if this machine's clock is right, 'accept-clock' makes them count."] : [],
                ]);
        });
        return command;
    }
}
