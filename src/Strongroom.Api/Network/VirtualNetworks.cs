using System.Net;
using System.Text.Json.Nodes;
using Strongroom.Api.Resources;
using Strongroom.Arm;

namespace Strongroom.Api.Network;

/// <summary>
/// The rules for virtual networks. A network here is a name for what hosts have, with its address space and subnets as its owner wrote them down: nothing is routed by it.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class VirtualNetworks(TrackedResources resources, ArmOptions options)
{
    public const string Type = "Microsoft.Network/virtualNetworks";

    private const int MostSubnets = 3000;

    /// <summary>Makes or replaces a network.</summary>
    /// <exception cref="ArmException">400: name, location, address space or subnets; 409: another location.</exception>
    public Task<(TrackedResource Resource, bool IsCreated)> PutAsync(ResourceId id, JsonObject body, CancellationToken cancellationToken)
    {
        if (!ResourceNames.IsGeneralName(id.Name) || id.Name.Length > 64)
        {
            throw ArmErrors.InvalidResourceName(Type, id.Name, "1 to 64 letters, digits, dots, hyphens or underscores, beginning with a letter or digit");
        }
        string location = options.RequireLocation(body.OptionalText("location"), Type);
        IReadOnlyDictionary<string, string> tags = ResourceTags.Read(body);
        JsonObject properties = Properties(body.OptionalObject("properties") ?? throw ArmErrors.InvalidRequestContent("an object with an addressSpace is required", "$.properties"));
        return resources.PutAsync(id, _ => TrackedResources.New(id, location, tags, properties), cancellationToken);
    }

    /// <summary>The network as it is shown: its subnets have ids.</summary>
    public static JsonObject ToJson(TrackedResource network)
    {
        var properties = (JsonObject)network.Properties.DeepClone();
        foreach (JsonObject subnet in properties["subnets"]!.AsArray().OfType<JsonObject>())
        {
            subnet.Insert(0, "id", $"{network.Id}/subnets/{(string)subnet["name"]!}");
            subnet["type"] = Type + "/subnets";
        }
        JsonObject json = TrackedResources.ToJson(network, properties);
        json["etag"] = $"W/\"{network.ETag}\"";
        return json;
    }

    private static JsonObject Properties(JsonObject sent)
    {
        JsonArray prefixes = Prefixes(sent.OptionalObject("addressSpace")?.OptionalArray("addressPrefixes"), "$.properties.addressSpace.addressPrefixes");
        if (prefixes.Count == 0) throw ArmErrors.InvalidRequestContent("a network has an address prefix at least", "$.properties.addressSpace.addressPrefixes");
        var subnets = new JsonArray();
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (JsonNode? entry in sent.OptionalArray("subnets") ?? [])
        {
            JsonObject subnet = Subnet(entry as JsonObject ?? throw ArmErrors.InvalidRequestContent("a subnet is an object", "$.properties.subnets"));
            if (!names.Add((string)subnet["name"]!)) throw ArmErrors.InvalidRequestContent($"there are two subnets '{subnet["name"]}'", "$.properties.subnets");
            if (subnets.Count == MostSubnets) throw ArmErrors.InvalidRequestContent($"there are more than {MostSubnets} subnets", "$.properties.subnets");
            subnets.Add(subnet);
        }
        return new JsonObject { ["addressSpace"] = new JsonObject { ["addressPrefixes"] = prefixes }, ["subnets"] = subnets, ["provisioningState"] = "Succeeded" };
    }

    private static JsonObject Subnet(JsonObject sent)
    {
        string name = sent.RequiredText("name");
        if (!ResourceNames.IsGeneralName(name)) throw ArmErrors.InvalidRequestContent("that is not a name of a subnet", "$.properties.subnets[].name");
        var properties = new JsonObject();
        if (sent.OptionalObject("properties")?.OptionalText("addressPrefix") is { } prefix) properties["addressPrefix"] = Prefix(prefix, "$.properties.subnets[].properties.addressPrefix");
        properties["provisioningState"] = "Succeeded";
        return new JsonObject { ["name"] = name, ["properties"] = properties };
    }

    private static JsonArray Prefixes(JsonArray? sent, string place) =>
        [.. (sent ?? []).Select(entry => (JsonNode)Prefix(entry is JsonValue value && value.TryGetValue(out string? text) ? text : "", place))];

    private static string Prefix(string text, string place) =>
        IPNetwork.TryParse(text, out _) ? text : throw ArmErrors.InvalidRequestContent("an address prefix looks like 10.0.0.0/16", place);
}
