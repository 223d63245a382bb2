using Strongroom.Backup.Machines;
using Strongroom.Blocks;

namespace Strongroom.Workloads.VirtualMachines;

/// <summary>A restore that an earlier run of its job has committed.</summary>
internal sealed class CommittedRestore : IMachineRestore
{
    public static CommittedRestore Instance { get; } = new();

    public bool IsCommitted => true;

    public Task<IDiskWriter> CreateDiskAsync(MachineDisk disk, CancellationToken cancellationToken) => throw new InvalidOperationException("The restore is committed.");

    public Task CommitAsync(CancellationToken cancellationToken) => throw new InvalidOperationException("The restore is committed.");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
