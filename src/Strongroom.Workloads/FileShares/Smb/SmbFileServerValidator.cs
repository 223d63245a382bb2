using System.Buffers;
using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Backup.FileShares;

namespace Strongroom.Workloads.FileShares.Smb;

/// <summary>Judges file servers of kind <c>Smb</c>: whoever writes them chooses among the servers and logins that the operator has named, and never writes a password.</summary>
public sealed class SmbFileServerValidator(AllowedSmbServers allowed, ISmbFileServers servers) : IFileServerValidator
{
    private const int MostShares = 1000;
    private const int LongestShareName = 80;

    private static readonly HashSet<string> s_administrative = new(["ADMIN$", "IPC$", "PRINT$"], StringComparer.OrdinalIgnoreCase);
    private static readonly SearchValues<char> s_impossible = SearchValues.Create("\\/:*?\"<>|\0");

    /// <inheritdoc/>
    public string Kind => "Smb";

    /// <inheritdoc/>
    public JsonObject Accept(JsonObject sent)
    {
        var host = sent.RequiredText("server").ToLowerInvariant();
        if (!allowed.Allows(host))
            throw ArmErrors.Custom(400, "FileServerNotAllowed", "The server is none that Strongroom's operator has allowed (strongroom serve --allow-smb HOST). It is written as the operator wrote it.", "$.properties.server");
        var login = sent.RequiredText("credentials");
        if (servers.FindLogin(login, host) is null)
            throw ArmErrors.Custom(400, "FileServerCredentialsNotFound", $"The server has no usable credentials of this name for {AllowedSmbServers.UriOf(host)}; its operator keeps them in the data folder's 'credentials'.", "$.properties.credentials");
        var accepted = new JsonObject { ["server"] = host, ["credentials"] = login };
        if (sent.OptionalArray("shares") is { Count: > 0 } shares) accepted["shares"] = Accept(shares);
        return accepted;
    }

    private static JsonArray Accept(JsonArray shares)
    {
        if (shares.Count > MostShares) throw ArmErrors.InvalidRequestContent($"there are more than {MostShares} shares", "$.properties.shares");
        var accepted = new JsonArray();
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var node in shares)
        {
            var place = $"$.properties.shares[{accepted.Count}]";
            var share = node as JsonObject ?? throw ArmErrors.InvalidRequestContent("an object with a name is expected", place);
            var name = share.RequiredText("name");
            if (!ResourceNames.IsGeneralName(name))
                throw ArmErrors.Custom(400, "InvalidShareName", $"'{(name.Length > 100 ? name[..100] : name)}' is not a name for a share: 1 to 80 letters, digits, dots, hyphens or underscores, with a letter or digit at both ends.", place);
            if (!names.Add(name)) throw ArmErrors.Custom(400, "InvalidShareName", $"There are two shares named '{name}'.", place);
            var onServer = share.OptionalText("nameOnServer") ?? name;
            if (!IsShare(onServer)) throw ArmErrors.Custom(400, "InvalidShareName", "A share's name on its server has 1 to 80 characters, none of them a control character or one of \\ / : * ? \" < > |.", $"{place}.nameOnServer");
            if (IsAdministrative(onServer)) throw ArmErrors.Custom(400, "InvalidShareName", $"'{onServer}' is a share for the server's administrators: it would lay all of a disk open to whoever may restore.", $"{place}.nameOnServer");
            accepted.Add(new JsonObject { ["name"] = name, ["nameOnServer"] = onServer });
        }

        return accepted;
    }

    private static bool IsAdministrative(string name) => name is [(>= 'A' and <= 'Z') or (>= 'a' and <= 'z'), '$'] || s_administrative.Contains(name);

    private static bool IsShare(string name) => name.Length is > 0 and <= LongestShareName && name is not ("." or "..") && !name.AsSpan().ContainsAny(s_impossible) && !name.Any(char.IsControl);
}
