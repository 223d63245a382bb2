using Strongroom.Backup.Machines;
using Strongroom.Blocks;

namespace Strongroom.Api.Tests.RecoveryServices.Support;

/// <summary>Puts restored machines among those of a <see cref="DiskFabric"/>.</summary>
public sealed class DiskRestorer(DiskFabric fabric) : IMachineRestorer
{
    public async Task<IMachineRestore> CreateAsync(NewMachine machine, HostRun run, CancellationToken cancellationToken)
    {
        if (await fabric.FindAsync(machine.SubscriptionId, machine.ResourceGroup, machine.Name, cancellationToken) is not null)
            throw new MachineException(MachineProblem.NameTaken, $"There is a virtual machine '{machine.Name}' already.");
        return new Restore(fabric, machine.Source with { SubscriptionId = machine.SubscriptionId, ResourceGroup = machine.ResourceGroup, Name = machine.Name, VmId = machine.VmId });
    }

    public Task<IMachineRestore> ReplaceAsync(VirtualMachine machine, HostRun run, CancellationToken cancellationToken) => Task.FromResult<IMachineRestore>(new Restore(fabric, machine));

    public Task SweepAsync(string subscriptionId, CancellationToken cancellationToken) => Task.CompletedTask;

    private sealed class Restore(DiskFabric fabric, VirtualMachine machine) : IMachineRestore
    {
        private readonly Dictionary<int, byte[]> _disks = [];

        public bool IsCommitted => false;

        public Task<IDiskWriter> CreateDiskAsync(MachineDisk disk, CancellationToken cancellationToken)
        {
            _disks[disk.Lun] = new byte[disk.SizeBytes];
            return Task.FromResult<IDiskWriter>(new Writer(_disks[disk.Lun]));
        }

        public Task CommitAsync(CancellationToken cancellationToken)
        {
            fabric.Put(machine, _disks);
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync() => default;
    }

    private sealed class Writer(byte[] content) : IDiskWriter
    {
        public ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
        {
            data.CopyTo(content.AsMemory((int)offsetBytes));
            return default;
        }

        public Task FinishAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public ValueTask DisposeAsync() => default;
    }
}
