using Strongroom.Backup.Machines;
using Strongroom.Blocks;

namespace Strongroom.Api.Tests.RecoveryServices.Support;

/// <summary>A host in memory that takes disks without a machine; it is in one resource group.</summary>
public sealed class DiskPool : IDiskRestorer
{
    public const string Group = "pools", HostId = BackupHost.Subscription + "/resourceGroups/pools/providers/Strongroom.Fabric/hosts/rack1";

    public Dictionary<string, byte[]> Volumes { get; } = [];

    public Task<IDiskRestore?> CreateDisksAsync(NewDisks disks, HostRun run, CancellationToken cancellationToken) =>
        Task.FromResult<IDiskRestore?>(disks.ResourceGroup == Group ? new Restore(this, disks.Source.Name) : null);

    private sealed class Restore(DiskPool pool, string machine) : IDiskRestore
    {
        private readonly Dictionary<int, HostVolume> _volumes = [];

        public Task<IDiskWriter> CreateDiskAsync(MachineDisk disk, CancellationToken cancellationToken)
        {
            var volume = new HostVolume(HostId, "vms", $"{machine}-{disk.Name}.raw", $"/vms/{machine}-{disk.Name}.raw", "raw");
            _volumes.Add(disk.Lun, volume);
            pool.Volumes.Add(volume.Name, new byte[disk.SizeBytes]);
            return Task.FromResult<IDiskWriter>(new Writer(pool.Volumes[volume.Name]));
        }

        public Task<IReadOnlyDictionary<int, HostVolume>> FinishAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyDictionary<int, HostVolume>>(_volumes);

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
