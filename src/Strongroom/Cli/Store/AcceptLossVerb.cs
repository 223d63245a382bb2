using System.CommandLine;
using System.Text.Json.Nodes;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store accept-loss</c>: shows what of the log cannot be read; with <c>--confirm</c> gives it up.</summary>
internal static class AcceptLossVerb
{
    public static Command Create()
    {
        var confirm = new Option<string?>("--confirm") { Description = "The vault's id ('stats'): give up, for good, what the damaged entries said, and take note of entries against the rules, so that the vault can be collected again." };
        var command = new VerbCommand("accept-loss", "Show what of the vault's log is lost or against its rules, and accept that with --confirm.") { confirm };
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
                ["losses"] = new JsonArray([.. losses.Select(JsonNode (loss) => new JsonObject { ["firstEntry"] = loss.FirstEntry, ["lastEntry"] = loss.LastEntry, ["what"] = loss.What, ["breach"] = loss.IsBreach })]),
            };
            List<string> lines = [.. losses.Select(loss => loss.IsBreach ? $"Entry {loss.FirstEntry}: {loss.What}" : $"Entries {loss.FirstEntry} to {loss.LastEntry}: {loss.What}")];
            if (losses.Any(loss => loss.IsBreach))
                lines.Add("What breaks the rules was written by somebody who has the vault's keys and does not keep its rules. Find out who, and change the keys ('strongroom store key').");
            lines.Add(losses.Count == 0 ? "The log has lost nothing." : isConfirmed ? "Accepted; the log says so." : $"{(losses.All(loss => loss.IsBreach) ? "Take note of that" : "Put lost entries back from a copy of the vault, or give them up,")} with --confirm {vault.VaultId}.");
            return new(json, lines, losses.Count > 0 && !isConfirmed ? ExitCodes.Damage : ExitCodes.Done);
        });
        return command;
    }
}
