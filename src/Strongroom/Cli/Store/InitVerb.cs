using System.CommandLine;
using System.Text.Json.Nodes;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store init</c>: makes a vault, and its key where there is none yet. No other verb makes a key but <c>key wrap</c>.</summary>
internal static class InitVerb
{
    public static Command Create()
    {
        var command = new VerbCommand("init", "Make a vault, and its key file where there is none yet.");
        command.SetVerb(async (_, context, cancellationToken) =>
        {
            var (vault, key, isNewKey) = await context.CreateAsync(cancellationToken);
            var json = new JsonObject
            {
                ["vault"] = context.Location,
                ["vaultId"] = vault.VaultId,
                ["keyFile"] = key.Path,
                ["keyMade"] = isNewKey,
            };
            List<string> lines = [$"Made the vault {vault.VaultId} in {context.Location}."];
            if (isNewKey)
                lines.Add($"Made its key, {key.Path}. Keep a copy of this file away from this machine: without it nobody can read the vault.");
            return new(json, lines);
        });
        return command;
    }
}
