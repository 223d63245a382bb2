using Strongroom.Arm;
using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt;

namespace Strongroom.Server;

/// <summary>The hosts of kind Libvirt among the stored resources, as far as the operator still allows them.</summary>
internal sealed class LibvirtHostsInResources(IResourceStore resources, AllowedLibvirtHosts allowed, HostCredentials credentials) : ILibvirtHosts
{
    public async Task<IReadOnlyList<LibvirtHost>> ListAsync(string subscriptionId, CancellationToken cancellationToken)
    {
        var hosts = await resources.ListAsync(subscriptionId, null, "Strongroom.Fabric/hosts", cancellationToken);
        return [.. hosts.Where(host => host.Properties.OptionalText("kind") == "Libvirt").Select(Read).OfType<LibvirtHost>()];
    }

    public async Task<IReadOnlySet<string>> ListVolumesAsync(LibvirtHost host, CancellationToken cancellationToken)
    {
        var disks = await resources.ListAsync(host.SubscriptionId, null, HostVolume.ResourceType, cancellationToken);
        return disks.Select(HostVolume.Find).OfType<HostVolume>().Where(volume => volume.HostId.Equals(host.Id, StringComparison.OrdinalIgnoreCase)).Select(volume => volume.Name).ToHashSet(StringComparer.Ordinal);
    }

    public (string UserName, string Password)? FindLogin(string name) => credentials.Find(name) is { } login ? (login.UserName, login.Password) : null;

    // What was accepted once may lie outside of what the operator allows today, and a login may have become another host's.
    private LibvirtHost? Read(TrackedResource host)
    {
        var properties = host.Properties;
        var named = properties.RequiredText("uri");
        var scratch = properties.RequiredText("scratchPath");
        var login = properties.OptionalText("credentials");
        if (allowed.FindUri(named) is not { } uri || !allowed.AllowsScratch(scratch) || (login is not null && !credentials.IsFor(login, named))) return null;
        return new(host.Id.ToString(), host.Id.SubscriptionId!, host.Id.ResourceGroup!, host.Location, uri, properties.RequiredText("diskPool"), scratch)
        {
            Credentials = login,
            Network = properties.OptionalText("network"),
            StartsRestoredMachines = properties.OptionalFlag("startRestoredMachines") ?? false,
        };
    }
}
