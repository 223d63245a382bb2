using Strongroom.Backup.Machines;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.Support;

/// <summary>Hosts whose machines are a list.</summary>
public sealed class FakeFabric : IMachineFabric
{
    public List<VirtualMachine> Machines { get; } = [];

    public VirtualMachine Add(string name, string resourceGroup = "lab", params MachineDisk[] disks)
    {
        var machine = new VirtualMachine
        {
            SubscriptionId = ArmHost.Subscription,
            ResourceGroup = resourceGroup,
            Name = name,
            Location = "home",
            VmId = Guid.NewGuid(),
            HostId = $"/subscriptions/{ArmHost.Subscription}/resourceGroups/{resourceGroup}/providers/Strongroom.Fabric/hosts/nas",
            Disks = [.. disks],
        };
        Machines.Add(machine);
        return machine;
    }

    public Task<IReadOnlyList<VirtualMachine>> ListAsync(string subscriptionId, string? resourceGroup, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<VirtualMachine>>([.. Machines.Where(m => Same(m.SubscriptionId, subscriptionId) && (resourceGroup is null || Same(m.ResourceGroup, resourceGroup)))]);

    public async Task<VirtualMachine?> FindAsync(string subscriptionId, string resourceGroup, string name, CancellationToken cancellationToken) =>
        (await ListAsync(subscriptionId, resourceGroup, cancellationToken)).FirstOrDefault(m => Same(m.Name, name));

    public Task ForgetAsync(VirtualMachine machine, Guid itemKey, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<IMachineSnapshot> SnapshotAsync(VirtualMachine machine, MachineSnapshotRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    private static bool Same(string left, string right) => left.Equals(right, StringComparison.OrdinalIgnoreCase);
}
