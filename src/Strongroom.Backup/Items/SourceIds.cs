using Strongroom.Arm;

namespace Strongroom.Backup.Items;

/// <summary>The ids of what items protect, as clients send them.</summary>
internal static class SourceIds
{
    /// <summary>Reads the id of a resource of a type that lies in a resource group itself, without regard to case; null where it is none. Clients leave its first slash out, and double others.</summary>
    public static ResourceId? Read(string? text, string type) =>
        text is not null && ResourceId.TryParse(text.StartsWith('/') ? text : "/" + text, out var id) && id.IsOfType(type) && Resource(id).Parent is { ProviderNamespace: null } && id.ResourceGroup is not null
            ? id
            : null;

    /// <summary>What a child resource lies in.</summary>
    private static ResourceId Resource(ResourceId id)
    {
        while (id.IsNested) id = id.Parent!;
        return id;
    }
}
