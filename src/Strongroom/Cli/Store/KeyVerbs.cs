using System.CommandLine;
using System.Text.Json.Nodes;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store key</c>: which keys open a vault, and changing them.</summary>
internal static class KeyVerbs
{
    private const string NewPassphraseVariable = "STRONGROOM_NEW_PASSPHRASE";

    public static Command Create() => new("key", "Show and change the keys that open a vault.")
    {
        List(),
        Rotate(),
        Wrap(),
        Escrow(),
        Remove(),
        Erase(),
    };

    private static VerbCommand List()
    {
        var command = new VerbCommand("list", "Show the keys that open the vault.");
        command.SetVerb(async (_, context, cancellationToken) => Report(await context.OpenAsync(cancellationToken)));
        return command;
    }

    private static VerbCommand Rotate()
    {
        var command = new VerbCommand("rotate", "Encrypt what is backed up from now on with a new data key.");
        command.SetVerb(async (_, context, cancellationToken) =>
        {
            var vault = await context.OpenAsync(cancellationToken);
            await vault.Keys.RotateAsync(cancellationToken);
            return Report(vault);
        });
        return command;
    }

    private static VerbCommand Wrap()
    {
        var file = new Option<string?>("--new-key-file") { Description = "A master key file; made when it is missing." };
        var passphrase = new Option<bool>("--new-passphrase") { Description = $"The passphrase in {NewPassphraseVariable}." };
        var replace = new Option<string?>("--replace") { Description = "The id of a key ('key list') in whose place the new one opens the vault." };
        var others = OtherKeyFiles();
        var command = new VerbCommand("wrap", "Let another key open the vault, as well or instead.") { file, passphrase, replace, others };
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            var newFile = parsed.GetValue(file);
            if (newFile is null != parsed.GetValue(passphrase))
                throw new UsageException("Say which key shall open the vault: either --new-key-file or --new-passphrase.");
            var words = parsed.GetValue(passphrase) ? Environment.GetEnvironmentVariable(NewPassphraseVariable) : null;
            if (newFile is null && string.IsNullOrEmpty(words))
                throw new UsageException($"The new passphrase is missing: put it into {NewPassphraseVariable}.");
            var phrase = newFile is null ? VaultKey.OfNewPassphrase(words!, NewPassphraseVariable) : null;
            var vault = await context.OpenAsync(cancellationToken);
            var key = phrase ?? VaultKey.OfFile(newFile!).LoadOrCreate();
            if (parsed.GetValue(replace) is { } old)
                await vault.Keys.RewrapAsync(old, key, Load(parsed.GetValue(others)), cancellationToken);
            else
                await vault.Keys.AddWrapAsync(key, cancellationToken);
            return Report(vault);
        });
        return command;
    }

    private static VerbCommand Escrow()
    {
        var publicKey = new Option<string>("--public-key") { Description = "A PEM file: RSA of 3,072 bits or more, or P-256 or P-384.", Required = true };
        var command = new VerbCommand("escrow", "Let the private half of a public key open the vault, too; keep that half elsewhere.") { publicKey };
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            var pem = KeyText.Read(Path.GetFullPath(parsed.GetRequiredValue(publicKey)));
            var vault = await context.OpenAsync(cancellationToken);
            await vault.Keys.EscrowAsync(pem, cancellationToken);
            return Report(vault);
        });
        return command;
    }

    private static VerbCommand Remove()
    {
        var id = new Argument<string>("KEY") { Description = "The id of a key ('key list')." };
        var others = OtherKeyFiles();
        var command = new VerbCommand("remove", "A key does not open the vault any more.") { id, others };
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            var vault = await context.OpenAsync(cancellationToken);
            await vault.Keys.RemoveWrapAsync(parsed.GetRequiredValue(id), Load(parsed.GetValue(others)), cancellationToken);
            return Report(vault);
        });
        return command;
    }

    private static VerbCommand Erase()
    {
        var confirm = new Option<string>("--confirm") { Description = "The vault's id ('stats'), to show that this vault is meant.", Required = true };
        var command = new VerbCommand("erase", "Destroy the vault's keys: nobody can ever read it again. Cannot be undone.") { confirm };
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            var vault = await context.OpenAsync(cancellationToken);
            await vault.Keys.EraseAsync(parsed.GetRequiredValue(confirm), cancellationToken);
            return new(new() { ["erased"] = vault.VaultId }, [$"The keys of vault {vault.VaultId} are destroyed. What is left of it is noise."]);
        });
        return command;
    }

    private static Option<string[]> OtherKeyFiles() => new("--other-key-file")
    {
        Description = "Each key file that stays and is not --key-file. Repeatable.",
        DefaultValueFactory = _ => [],
    };

    private static List<IKeyEncryptionKey> Load(string[]? files) => [.. (files ?? []).Select(file => VaultKey.OfFile(file).Load())];

    private static VerbResult Report(VaultStore vault)
    {
        var keys = vault.Keys;
        List<string> lines = [$"Generation {keys.Generation} of the keys, data key {keys.CurrentEpoch}. These open the vault:"];
        lines.AddRange(keys.Wraps.Select(wrap => $"  {wrap.KeyId}"));
        return new(
            new JsonObject
            {
                ["generation"] = keys.Generation,
                ["epoch"] = keys.CurrentEpoch,
                ["keys"] = new JsonArray([.. keys.Wraps.Select(JsonNode (wrap) => new JsonObject { ["kind"] = wrap.Kind, ["keyId"] = wrap.KeyId })]),
            },
            lines);
    }
}
