using System.Text.Json;
using System.Text.Json.Nodes;
using Strongroom.Hosting;
using Strongroom.Workloads.VirtualMachines.Libvirt;

namespace Strongroom.Server;

/// <summary>
/// The logins that the operator keeps for hosts: a file for each in the data folder, <c>{"uri": ..., "userName": ..., "password": ...}</c>, mode 0600.
/// A login is sent to the host of its URI and to no other. Read anew at each use; nothing of a file is ever in an answer or in the log. Thread-safe.
/// </summary>
internal sealed class HostCredentials(string folder, ILogger<HostCredentials> log) : ILibvirtCredentials
{
    private const int MaxBytes = 64 << 10;

    public bool IsFor(string name, string uri) => Find(name)?.Uri == uri;

    /// <summary>The login of a name, or null when there is none that can be used; why is in the server's log.</summary>
    public HostLogin? Find(string name)
    {
        // The name comes from a caller.
        if (name.Length is 0 or > 60 || name[0] == '.' || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_')) return null;
        try
        {
            return Read(Path.Combine(folder, name));
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log.LogWarning("The credentials '{Name}' cannot be read: {Why}", name, e.Message);
            return null;
        }
    }

    private HostLogin? Read(string path)
    {
        using var file = File.OpenRead(path);
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file.SafeFileHandle) & ~AtomicFile.Private) != 0)
        {
            log.LogWarning("The credentials '{Path}' are not used: others may read or run the file. Set its mode to 0600", path);
            return null;
        }

        if (file.Length <= MaxBytes && Parse(file) is { } login) return login;
        // What is wrong where would quote the file.
        log.LogWarning("The credentials '{Path}' are not used: the file must be a JSON object with the texts uri, userName and password, the uri without a question mark and what follows", path);
        return null;
    }

    private static HostLogin? Parse(FileStream file)
    {
        try
        {
            return JsonNode.Parse(file) is JsonObject text && Text(text, "uri") is { } uri && !uri.Contains('?', StringComparison.Ordinal) && Text(text, "userName") is { } user && Text(text, "password") is { } password
                ? new(uri, user, password)
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? Text(JsonObject json, string name) => json[name] is JsonValue value && value.TryGetValue(out string? text) && text.Length > 0 ? text : null;
}

/// <summary>A login for the host of a URI.</summary>
internal sealed record HostLogin(string Uri, string UserName, string Password)
{
    /// <summary>Without the password, wherever it is written.</summary>
    public override string ToString() => $"{UserName} at {Uri}";
}
