using System.CommandLine;
using Strongroom.Cli.Store;
using Strongroom.Client;
using Strongroom.Hosting;
using Strongroom.Store;

namespace Strongroom.Cli.Files;

/// <summary>The options that say which server, who signs in, and which recovery point.</summary>
internal sealed class ServerOptionSet
{
    // Never an argument's value, which every user of the machine can read.
    private const string SecretVariable = "STRONGROOM_CLIENT_SECRET";

    private readonly Option<string?> _data = new("--data") { Description = "A server's data folder on this machine: its administrator signs in." };
    private readonly Option<string?> _adminFile = new("--admin-file") { Description = "A copy of a server's admin.json: its administrator signs in." };
    private readonly Option<string?> _server = new("--server") { Description = "The server's address, such as https://backup.example:8443." };
    private readonly Option<string?> _tenant = new("--tenant") { Description = "The server's tenant." };
    private readonly Option<string?> _clientId = new("--client-id") { Description = "Who signs in: an application id." };
    private readonly Option<string?> _secretFile = new("--client-secret-file") { Description = $"A file with the secret to sign in with; without it the environment's {SecretVariable}." };
    private readonly Option<string?> _ca = new("--ca") { Description = "The certificate authority of the server (PEM); without it the machine's own are trusted, or the one that admin.json names." };
    private readonly Option<string?> _subscription = new("--subscription") { Description = "The subscription; without it the server's first." };
    private readonly Option<string> _group = new("--resource-group", "-g") { Description = "The vault's resource group.", Required = true };
    private readonly Option<string> _vault = new("--vault-name", "-v") { Description = "The vault.", Required = true };
    private readonly Option<string> _item = new("--item-name", "-i") { Description = "The machine: its name, or its item's.", Required = true };
    private readonly Option<string?> _point = new("--recovery-point", "-r") { Description = "The recovery point; without it the newest." };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_group, _vault, _item, _point, _data, _adminFile, _server, _tenant, _clientId, _secretFile, _ca, _subscription]) command.Add(option);
    }

    /// <summary>Where the files are, before anybody is asked.</summary>
    public PointChoice Choice(ParseResult parsed) =>
        new(parsed.GetValue(_subscription), parsed.GetRequiredValue(_group), parsed.GetRequiredValue(_vault), parsed.GetRequiredValue(_item), parsed.GetValue(_point));

    /// <exception cref="UsageException">The options do not say who signs in where.</exception>
    public ServerAccess Access(ParseResult parsed)
    {
        var file = parsed.GetValue(_adminFile) ?? (parsed.GetValue(_data) is { } data ? Path.Combine(data, "admin.json") : null);
        if (file is not null)
        {
            if (!File.Exists(file)) throw new UsageException($"There is no file '{file}'.");
            var administrator = Administrator.Read(file);
            return new(Address(parsed) ?? administrator.Endpoint, administrator.TenantId.ToString(), administrator.ClientId.ToString(), administrator.ClientSecret, parsed.GetValue(_ca) ?? administrator.CaFile);
        }

        var secret = (parsed.GetValue(_secretFile) is { } secretFile ? KeyText.Read(secretFile).Trim() : null) ?? Environment.GetEnvironmentVariable(SecretVariable);
        return Address(parsed) is { } server && parsed.GetValue(_tenant) is { } tenant && parsed.GetValue(_clientId) is { } client && secret is not null
            ? new(server, tenant, client, secret, parsed.GetValue(_ca))
            : throw new UsageException($"Say who signs in: --data or --admin-file for the administrator; or --server, --tenant, --client-id and the secret by --client-secret-file or in {SecretVariable}.");
    }

    private Uri? Address(ParseResult parsed)
    {
        if (parsed.GetValue(_server) is not { } text) return null;
        return Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttps ? uri : throw new UsageException($"--server takes an address such as https://backup.example:8443, not '{text}'.");
    }
}

/// <summary>A server and who signs in to it.</summary>
/// <param name="CaFile">The authority to trust; null: the machine's own.</param>
internal sealed record ServerAccess(Uri Endpoint, string TenantId, string ClientId, string ClientSecret, string? CaFile) : ISignIn
{
    // Not the secret.
    public override string ToString() => $"{ClientId} at {Endpoint}";
}

/// <summary>A recovery point by the names that people use.</summary>
internal sealed record PointChoice(string? Subscription, string Group, string Vault, string Item, string? Point);
