using System.CommandLine;
using System.Text.Json.Nodes;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store accept-loss</c>: shows what of the log cannot be read; with <c>--confirm</c> gives it up.</summary>
internal static class AcceptLossVerb
{
    public static Command Create()
    {
        var confirm = new Option<string?>("--confirm") { Description = "The vault's id ('stats'): give up, for good, what the damaged entries said, so that the vault can be collected again." };
        var command = new VerbCommand("accept-loss", "Show what of the vault's log is lost, and give it up with --confirm.") { confirm };
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            var vault = await context.OpenAsync(cancellationToken);
            var losses = vault.LogLosses;
            var isConfirmed = parsed.GetValue(confirm) is { } id
                && (Guid.TryParse(id, out var given) && given == vault.VaultId ? true : throw new UsageException($"'{id}' is not the id of this vault. 'strongroom store stats' shows it."));
            if (isConfirmed)
                await vault.AcceptLossAsync(losses, [], cancellationToken);
            var json = new JsonObject
            {
                ["accepted"] = isConfirmed,
                ["losses"] = new JsonArray([.. losses.Select(JsonNode (loss) => new JsonObject { ["firstEntry"] = loss.FirstEntry, ["lastEntry"] = loss.LastEntry, ["what"] = loss.What })]),
            };
            List<string> lines = [.. losses.Select(loss => $"Entries {loss.FirstEntry} to {loss.LastEntry}: {loss.What}")];
            lines.Add(losses.Count == 0 ? "The log has lost nothing." : isConfirmed ? "Given up." : $"Put them back from a copy of the vault, or give them up with --confirm {vault.VaultId}.");
            return new(json, lines, losses.Count > 0 && !isConfirmed ? ExitCodes.Damage : ExitCodes.Done);
        });
        return command;
    }
}
