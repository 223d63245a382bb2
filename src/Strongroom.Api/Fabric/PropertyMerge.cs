using System.Text.Json.Nodes;
using Strongroom.Arm;

namespace Strongroom.Api.Fabric;

/// <summary>A change of properties by PATCH.</summary>
internal static class PropertyMerge
{
    /// <summary>What is sent replaces what is there; the rest stays.</summary>
    public static JsonObject Of(JsonObject before, JsonObject sent)
    {
        var merged = new JsonObject();
        foreach ((string name, JsonNode? value) in before)
        {
            if (!sent.HasField(name)) merged[name] = value?.DeepClone();
        }
        foreach ((string name, JsonNode? value) in sent) merged[name] = value?.DeepClone();
        // Where it stands in the request, so that an error names the place.
        _ = new JsonObject { ["properties"] = merged };
        return merged;
    }
}
