using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Strongroom.Backup.Machines;
using Strongroom.Blocks;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices.Support;

/// <summary>Machines whose disks are arrays.</summary>
public sealed class DiskFabric : IMachineFabric
{
    private readonly Dictionary<string, byte[]> _content = [];
    private ImmutableArray<VirtualMachine> _machines = [];

    /// <summary>A snapshot waits for this: a test that holds it back has a job that is in progress for as long as it likes.</summary>
    public Task Ready { get; set; } = Task.CompletedTask;

    /// <summary>A disk of a snapshot waits for this before it is read: a test that holds it back has a backup in transfer.</summary>
    public Task Readable { get; set; } = Task.CompletedTask;

    /// <summary>Adds a machine with an operating system's disk and a data disk of 1 MiB each.</summary>
    public VirtualMachine Add(string name, string resourceGroup = "lab", string location = "home", string osType = "Linux")
    {
        var machine = new VirtualMachine
        {
            SubscriptionId = ArmHost.Subscription,
            ResourceGroup = resourceGroup,
            Name = name,
            Location = location,
            OsType = osType,
            VmId = Guid.NewGuid(),
            HostId = $"/subscriptions/{ArmHost.Subscription}/resourceGroups/{resourceGroup}/providers/Strongroom.Fabric/hosts/nas",
            Disks = [new MachineDisk(-1, "os", 1 << 20, "raw"), new MachineDisk(0, "data", 1 << 20, "raw")],
        };
        foreach (MachineDisk disk in machine.Disks)
        {
            byte[] content = new byte[disk.SizeBytes];
            new Random(disk.Lun + name.Length).NextBytes(content.AsSpan(0, content.Length / 2));
            _content[Key(machine, disk)] = content;
        }

        _machines = _machines.Add(machine);
        return machine;
    }

    /// <summary>Adds a machine that was restored, or gives one that is there other disks.</summary>
    public void Put(VirtualMachine machine, IReadOnlyDictionary<int, byte[]> disks)
    {
        foreach (MachineDisk disk in machine.Disks.Where(d => disks.ContainsKey(d.Lun))) _content[Key(machine, disk)] = disks[disk.Lun];
        _machines = [.. _machines.Where(m => m.VmId != machine.VmId), machine];
    }

    public void Remove(VirtualMachine machine) => _machines = _machines.Remove(machine);

    /// <summary>What a disk holds; the test may change it.</summary>
    public byte[] Content(VirtualMachine machine, int lun) => _content[Key(machine, machine.Disks.Single(d => d.Lun == lun))];

    public Task<IReadOnlyList<VirtualMachine>> ListAsync(string subscriptionId, string? resourceGroup, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<VirtualMachine>>([.. _machines.Where(m => Same(m.SubscriptionId, subscriptionId) && (resourceGroup is null || Same(m.ResourceGroup, resourceGroup)))]);

    public async Task<VirtualMachine?> FindAsync(string subscriptionId, string resourceGroup, string name, CancellationToken cancellationToken) =>
        (await ListAsync(subscriptionId, resourceGroup, cancellationToken)).FirstOrDefault(m => Same(m.Name, name));

    public Task ForgetAsync(VirtualMachine machine, Guid itemKey, CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task<IMachineSnapshot> SnapshotAsync(VirtualMachine machine, MachineSnapshotRequest request, CancellationToken cancellationToken)
    {
        await Ready.WaitAsync(cancellationToken);
        return new MemorySnapshot(machine, [.. machine.Disks.Select(d => new MemoryDisk(this, d, [.. _content[Key(machine, d)]]))]);
    }

    private static string Key(VirtualMachine machine, MachineDisk disk) => $"{machine.VmId}/{disk.Lun}";

    private static bool Same(string left, string right) => left.Equals(right, StringComparison.OrdinalIgnoreCase);

    private sealed record MemorySnapshot(VirtualMachine Machine, IReadOnlyList<IMachineSnapshotDisk> Disks) : IMachineSnapshot
    {
        public string Consistency => "CrashConsistent";

        public Task<IReadOnlyList<string>> FindChangesAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<string>>([]);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class MemoryDisk(DiskFabric fabric, MachineDisk disk, byte[] content) : IMachineSnapshotDisk, IBlockSource
    {
        public MachineDisk Disk => disk;

        public long LengthBytes => content.Length;

        public async Task<IBlockSource> OpenAsync(bool sinceParent, CancellationToken cancellationToken)
        {
            await fabric.Readable.WaitAsync(cancellationToken);
            return this;
        }

        public async IAsyncEnumerable<BlockExtent> MapAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.Yield();
            yield return new BlockExtent(0, content.Length, BlockKind.Data);
        }

        public ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            content.AsMemory((int)offsetBytes, buffer.Length).CopyTo(buffer);
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
