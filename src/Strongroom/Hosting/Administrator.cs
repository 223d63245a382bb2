using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Identity.Principals;

namespace Strongroom.Hosting;

/// <summary>
/// The first principal of a server, made at its first start and kept in <c>admin.json</c>, which is all that a client needs
/// to sign in. Immutable. Its text (<see cref="ToString"/>) leaves the secret out.
/// </summary>
internal sealed class Administrator
{
    private static readonly JsonWriterOptions Indented = new() { Indented = true };

    private Administrator(
        Uri endpoint, Guid tenantId, Guid subscriptionId, Guid clientId, Guid objectId, string clientSecret, string? caFile)
    {
        Endpoint = endpoint;
        TenantId = tenantId;
        SubscriptionId = subscriptionId;
        ClientId = clientId;
        ObjectId = objectId;
        ClientSecret = clientSecret;
        CaFile = caFile;
    }

    /// <summary>Where clients reach the server; without a path.</summary>
    public Uri Endpoint { get; }

    public Guid TenantId { get; }

    /// <summary>The one subscription, under which all resources are.</summary>
    public Guid SubscriptionId { get; }

    public Guid ClientId { get; }

    /// <summary>The principal's object id, the <c>oid</c> of its tokens.</summary>
    public Guid ObjectId { get; }

    /// <summary>256 random bits; never logged.</summary>
    public string ClientSecret { get; }

    /// <summary>What clients must trust; null when they need no telling.</summary>
    public string? CaFile { get; }

    /// <summary>
    /// Reads the administrator, or makes one when the folder is new. Where the server is reached and what is to be trusted
    /// follow this start's options; everything else stays as it was made. Call before the database is first opened.
    /// </summary>
    /// <exception cref="InvalidDataException">
    /// The file cannot be read, or is missing although there is a database: all resources are under its ids, so it is never made anew unasked.
    /// </exception>
    public static Administrator Open(DataFolder data, Uri endpoint, string? caFile)
    {
        var file = data.AdministratorFile;
        var address = new Uri(endpoint.GetLeftPart(UriPartial.Authority));
        if (!File.Exists(file))
        {
            if (new FileInfo(data.DatabaseFile) is { Exists: true, Length: > 0 })
            {
                throw new InvalidDataException(
                    $"'{file}' is missing, but '{data.DatabaseFile}' is not empty: its resources belong to the tenant and subscription named in that file. Restore it from a copy of the data folder.");
            }

            var made = new Administrator(
                address, Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(),
                ClientSecrets.New(), caFile);
            made.Write(file);
            return made;
        }

        var kept = Read(file);
        if (kept.Endpoint == address && kept.CaFile == caFile)
            return kept;
        var moved = new Administrator(
            address, kept.TenantId, kept.SubscriptionId, kept.ClientId, kept.ObjectId, kept.ClientSecret, caFile);
        moved.Write(file);
        return moved;
    }

    /// <summary>Reads an administrator's file, as the command line does beside a running server.</summary>
    /// <exception cref="InvalidDataException">It is not such a file; the message names what is missing.</exception>
    public static Administrator Read(string file)
    {
        JsonObject json;
        try
        {
            json = JsonNode.Parse(File.ReadAllText(file)) as JsonObject
                ?? throw new InvalidDataException($"'{file}' does not hold a JSON object. Restore it from a copy.");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"'{file}' does not hold JSON. Restore it from a copy.", error);
        }

        return new Administrator(
            Uri.TryCreate(Text("endpoint"), UriKind.Absolute, out var endpoint) ? endpoint : throw Wrong("endpoint"),
            Id("tenantId"), Id("subscriptionId"), Id("clientId"), Id("objectId"), Text("clientSecret"),
            json["caFile"] is null ? null : Text("caFile"));

        Guid Id(string name) => Guid.TryParse(Text(name), out var id) ? id : throw Wrong(name);

        string Text(string name) =>
            json[name] is JsonValue value && value.TryGetValue(out string? text) && text.Length > 0 ? text : throw Wrong(name);

        InvalidDataException Wrong(string name) => new($"'{file}' has no usable '{name}'. Restore it from a copy.");
    }

    /// <summary>The principal as the issuer keeps it: without the secret, with its hash.</summary>
    public ServicePrincipal ToServicePrincipal() => new(ClientId, ObjectId, "administrator", [SecretHash.Create(ClientSecret)]);

    /// <summary>The administrator owns the subscription; nobody can take that away, for it is written nowhere but here.</summary>
    public RoleAssignment ToRoleAssignment()
    {
        // Always the same name, as clients remember names.
        var name = new Guid(SHA256.HashData([.. SubscriptionId.ToByteArray(), .. ObjectId.ToByteArray()]).AsSpan(0, 16));
        return new(name, $"/subscriptions/{SubscriptionId}", BuiltInRoles.Owner.Id, ObjectId, "ServicePrincipal", DateTimeOffset.UnixEpoch, null)
        {
            Description = "The administrator of this installation.",
            IsStanding = true,
        };
    }

    /// <inheritdoc/>
    public override string ToString() => $"administrator {ClientId} at {Endpoint}";

    // One property a line: the instructions for az pick the secret out with sed.
    private void Write(string file)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Indented))
        {
            writer.WriteStartObject();
            writer.WriteString("endpoint", Endpoint.GetLeftPart(UriPartial.Authority));
            writer.WriteString("tenantId", TenantId);
            writer.WriteString("subscriptionId", SubscriptionId);
            writer.WriteString("clientId", ClientId);
            writer.WriteString("objectId", ObjectId);
            writer.WriteString("clientSecret", ClientSecret);
            if (CaFile is not null)
                writer.WriteString("caFile", CaFile);
            writer.WriteEndObject();
        }

        buffer.Write(Encoding.ASCII.GetBytes("\n"));
        AtomicFile.Write(file, buffer.ToArray(), AtomicFile.Private);
    }
}
