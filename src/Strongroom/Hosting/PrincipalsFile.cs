using System.Text.Json;
using System.Text.Json.Nodes;
using Strongroom.Identity.Principals;

namespace Strongroom.Hosting;

/// <summary>
/// <c>principals.json</c>: who may sign in besides the administrator. Read anew at each sign-in, so that a change holds at once; changed by
/// <c>strongroom principal</c>, also while a server runs. Secrets are in it as hashes.
/// </summary>
internal sealed class PrincipalsFile(string path)
{
    private static readonly JsonWriterOptions Indented = new() { Indented = true };

    /// <summary>All principals, in the order they were added.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public IReadOnlyList<ServicePrincipal> Read()
    {
        try
        {
            return File.Exists(path) ? [.. JsonNode.Parse(File.ReadAllBytes(path))!["principals"]!.AsArray().Select(node => FromJson(node!))] : [];
        }
        catch (Exception error) when (error is JsonException or FormatException or InvalidOperationException or NullReferenceException)
        {
            throw new InvalidDataException($"'{path}' is not a list of principals: restore it from a copy, or delete it and add them again.", error);
        }
    }

    /// <summary>Changes the list. Of two who change it at once the second sees what the first did.</summary>
    /// <exception cref="IOException">The file cannot be written, or is being changed by somebody for seconds.</exception>
    public void Change(Func<IReadOnlyList<ServicePrincipal>, IEnumerable<ServicePrincipal>> change)
    {
        using var turn = TakeTurn();
        var list = new JsonArray([.. change(Read()).Select(ToJson)]);
        using var content = new MemoryStream();
        using (var writer = new Utf8JsonWriter(content, Indented))
            new JsonObject { ["principals"] = list }.WriteTo(writer);
        AtomicFile.Write(path, content.ToArray(), AtomicFile.Private);
    }

    // The lock is the kernel's and goes with the process; the file itself stays, for deleting it would race.
    private FileStream TakeTurn()
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None };
                if (!OperatingSystem.IsWindows())
                    options.UnixCreateMode = AtomicFile.Private;
                return new FileStream(path + ".lock", options);
            }
            catch (IOException) when (tries < 100)
            {
                Task.Delay(50).GetAwaiter().GetResult();
            }
        }
    }

    private static JsonObject ToJson(ServicePrincipal principal) => new()
    {
        ["name"] = principal.DisplayName,
        ["clientId"] = principal.ClientId.ToString(),
        ["objectId"] = principal.ObjectId.ToString(),
        ["secrets"] = new JsonArray([.. principal.Secrets.Select(secret => JsonValue.Create(secret.ToString()))]),
    };

    private static ServicePrincipal FromJson(JsonNode node) => new(
        Guid.Parse((string)node["clientId"]!), Guid.Parse((string)node["objectId"]!), (string)node["name"]!,
        [.. node["secrets"]!.AsArray().Select(secret => SecretHash.Parse((string)secret!))]);
}

/// <summary>The administrator, and whoever is in the file.</summary>
internal sealed class Principals(ServicePrincipal administrator, PrincipalsFile file) : IPrincipalStore
{
    public ValueTask<ServicePrincipal?> FindAsync(string clientId, CancellationToken cancellationToken)
    {
        if (!Guid.TryParseExact(clientId, "D", out var id)) return ValueTask.FromResult<ServicePrincipal?>(null);
        return ValueTask.FromResult(id == administrator.ClientId ? administrator : file.Read().FirstOrDefault(principal => principal.ClientId == id));
    }
}
