using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Backup.FileShares;
using Strongroom.Workloads.VirtualMachines.Folder;

namespace Strongroom.Workloads.FileShares;

/// <summary>Judges file servers of kind <c>Local</c>: their folders lie below those that the operator has allowed, and names are names.</summary>
public sealed class LocalFileServerValidator(AllowedRoots roots) : IFileServerValidator
{
    private const int MostShares = 1000;

    /// <inheritdoc/>
    public string Kind => "Local";

    /// <inheritdoc/>
    public JsonObject Accept(JsonObject sent)
    {
        var accepted = new JsonObject();
        if (sent.OptionalArray("shares") is { Count: > 0 } shares)
            accepted["shares"] = Accept(shares);
        if (sent.OptionalText("sharesRoot") is { } root)
            accepted["sharesRoot"] = Allowed(root, "$.properties.sharesRoot");
        return accepted.Count > 0 ? accepted : throw ArmErrors.InvalidRequestContent("shares or a sharesRoot are required", "$.properties");
    }

    private JsonArray Accept(JsonArray shares)
    {
        if (shares.Count > MostShares)
            throw ArmErrors.InvalidRequestContent($"there are more than {MostShares} shares", "$.properties.shares");
        var accepted = new JsonArray();
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var node in shares)
        {
            var place = $"$.properties.shares[{accepted.Count}]";
            var share = node as JsonObject ?? throw ArmErrors.InvalidRequestContent("an object with name and path is expected", place);
            var name = share.RequiredText("name");
            if (!ResourceNames.IsGeneralName(name))
                throw ArmErrors.Custom(400, "InvalidShareName", $"'{(name.Length > 100 ? name[..100] : name)}' is not a name for a share: 1 to 80 letters, digits, dots, hyphens or underscores, with a letter or digit at both ends.", place);
            if (!names.Add(name))
                throw ArmErrors.Custom(400, "InvalidShareName", $"There are two shares named '{name}'.", place);
            accepted.Add(new JsonObject { ["name"] = name, ["path"] = Allowed(share.RequiredText("path"), $"{place}.path") });
        }

        return accepted;
    }

    private string Allowed(string path, string place) =>
        roots.RefuseFolder(path) is { } reason ? throw ArmErrors.Custom(400, "SharePathNotAllowed", reason, place) : path;
}
