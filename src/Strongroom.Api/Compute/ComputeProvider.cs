using System.Runtime.CompilerServices;
using Strongroom.Api.Resources;
using Strongroom.Arm;
using Strongroom.Backup.Machines;

namespace Strongroom.Api.Compute;

/// <summary><c>Microsoft.Compute</c>: machines live on their hosts and are only shown; disks are stored.</summary>
internal sealed class ComputeProvider(IResourceStore store, IMachineFabric fabric) : StoredResourceProvider(store)
{
    public const string DiskType = "Microsoft.Compute/disks";
    private const string MachineType = "Microsoft.Compute/virtualMachines";

    public override string Namespace => "Microsoft.Compute";

    public override IReadOnlyList<ResourceTypeInfo> ResourceTypes { get; } =
    [
        new("virtualMachines", ["2024-11-01", "2024-07-01", "2023-03-01", "2022-11-01", "2022-08-01"]),
        new("disks", ["2024-03-02", "2023-10-02", "2022-07-02"]),
        new("operations", ["2024-11-01", "2022-08-01"], []),
    ];

    public override IReadOnlyList<ProviderOperation> Operations { get; } =
    [
        new(MachineType + "/read", "Microsoft Compute", "Virtual Machines", "Get Virtual Machine", "Gets or lists the virtual machines that hosts have."),
        new(MachineType + "/instanceView/read", "Microsoft Compute", "Virtual Machines", "Get Virtual Machine Instance View", "Gets what a host knows of a virtual machine now."),
        new(DiskType + "/read", "Microsoft Compute", "Disks", "Get Disk", "Gets or lists restored disks."),
        new(DiskType + "/delete", "Microsoft Compute", "Disks", "Delete Disk", "Deletes a restored disk."),
    ];

    protected override IReadOnlyList<string> StoredTypes => [DiskType];

    public override async IAsyncEnumerable<ArmResourceSummary> ListAsync(string subscriptionId, string? resourceGroup, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (ArmResourceSummary disk in base.ListAsync(subscriptionId, resourceGroup, cancellationToken)) yield return disk;
        foreach (VirtualMachine machine in await fabric.ListAsync(subscriptionId, resourceGroup, cancellationToken))
        {
            yield return new ArmResourceSummary(ResourceId.Parse(machine.ResourceId), machine.Location, machine.Tags) { ManagedBy = machine.HostId };
        }
    }

    /// <summary>Removes a disk. A machine belongs to its host and leaves the lists with it: its files are never touched.</summary>
    public override Task DeleteAsync(ResourceId id, CancellationToken cancellationToken) =>
        id.IsOfType(MachineType) ? Task.CompletedTask : base.DeleteAsync(id, cancellationToken);
}
