using Strongroom.Api.Resources;
using Strongroom.Arm;

namespace Strongroom.Api.Network;

/// <summary><c>Microsoft.Network</c>: the names of networks that restored machines are to be in, and the interfaces of machines, which are only shown.</summary>
internal sealed class NetworkProvider(IResourceStore store) : StoredResourceProvider(store)
{
    private static readonly string[] s_versions = ["2024-05-01", "2023-11-01", "2022-01-01", "2019-11-01"];

    public override string Namespace => "Microsoft.Network";

    public override IReadOnlyList<ResourceTypeInfo> ResourceTypes { get; } = [new("virtualNetworks", s_versions), new("networkInterfaces", s_versions), new("operations", s_versions, [])];

    public override IReadOnlyList<ProviderOperation> Operations { get; } =
    [
        Of("virtualNetworks/read", "Virtual Networks", "Get Virtual Network", "Gets or lists virtual networks."),
        Of("virtualNetworks/write", "Virtual Networks", "Create or Update Virtual Network", "Creates or updates a virtual network."),
        Of("virtualNetworks/delete", "Virtual Networks", "Delete Virtual Network", "Deletes a virtual network."),
        Of("networkInterfaces/read", "Network Interfaces", "Get Network Interface", "Gets or lists the network interfaces that virtual machines have."),
    ];

    protected override IReadOnlyList<string> StoredTypes => [VirtualNetworks.Type];

    private static ProviderOperation Of(string name, string resource, string operation, string description) =>
        new("Microsoft.Network/" + name, "Microsoft Network", resource, operation, description);
}
