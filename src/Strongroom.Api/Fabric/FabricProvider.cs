using Strongroom.Api.Resources;
using Strongroom.Arm;

namespace Strongroom.Api.Fabric;

/// <summary><c>Strongroom.Fabric</c>: our own provider.</summary>
internal sealed class FabricProvider(IResourceStore store) : StoredResourceProvider(store)
{
    private static readonly string[] s_versions = ["2026-11-01"];

    public override string Namespace => "Strongroom.Fabric";

    public override IReadOnlyList<ResourceTypeInfo> ResourceTypes { get; } = [new("hosts", s_versions), new("fileServers", s_versions), new("operations", s_versions, [])];

    public override IReadOnlyList<ProviderOperation> Operations { get; } =
    [
        OfHosts("read", "Get Host", "Gets or lists the hosts on which virtual machines are found."),
        OfHosts("write", "Create or Update Host", "Adds a host or changes it."),
        OfHosts("delete", "Delete Host", "Removes a host from the lists; its machines stay as they are."),
        OfFileServers("read", "Get File Server", "Gets or lists the file servers on which shares are found."),
        OfFileServers("write", "Create or Update File Server", "Adds a file server or changes it."),
        OfFileServers("delete", "Delete File Server", "Removes a file server from the lists; its shares stay as they are."),
    ];

    protected override IReadOnlyList<string> StoredTypes => [Hosts.Type, FileServers.Type];

    private static ProviderOperation OfHosts(string verb, string operation, string description) =>
        new($"{Hosts.Type}/{verb}", "Strongroom Fabric", "Hosts", operation, description);

    private static ProviderOperation OfFileServers(string verb, string operation, string description) =>
        new($"{FileServers.Type}/{verb}", "Strongroom Fabric", "File Servers", operation, description);
}
