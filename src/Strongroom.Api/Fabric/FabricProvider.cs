using Strongroom.Api.Resources;
using Strongroom.Arm;

namespace Strongroom.Api.Fabric;

/// <summary><c>Strongroom.Fabric</c>: our own provider.</summary>
internal sealed class FabricProvider(IResourceStore store) : StoredResourceProvider(store)
{
    private static readonly string[] s_versions = ["2026-11-01"];

    public override string Namespace => "Strongroom.Fabric";

    public override IReadOnlyList<ResourceTypeInfo> ResourceTypes { get; } = [new("hosts", s_versions), new("operations", s_versions, [])];

    public override IReadOnlyList<ProviderOperation> Operations { get; } =
    [
        Of("read", "Get Host", "Gets or lists the hosts on which virtual machines are found."),
        Of("write", "Create or Update Host", "Adds a host or changes it."),
        Of("delete", "Delete Host", "Removes a host from the lists; its machines stay as they are."),
    ];

    protected override IReadOnlyList<string> StoredTypes => [Hosts.Type];

    private static ProviderOperation Of(string verb, string operation, string description) =>
        new($"{Hosts.Type}/{verb}", "Strongroom Fabric", "Hosts", operation, description);
}
