using Strongroom.Arm;
using Strongroom.Backup.Machines;
using Strongroom.Blocks;

namespace Strongroom.Backup.Tests.Support;

/// <summary>A host's storage pool in memory. What a run has made and no resource has goes when the run ends.</summary>
internal sealed class FakePool(Func<IResourceStore> resources) : IDiskRestorer
{
    public const string HostId = $"/subscriptions/{Rig.Subscription}/resourceGroups/Target/providers/Strongroom.Fabric/hosts/h";

    /// <summary>The group that has the host; null: none has.</summary>
    public string? Group { get; set; }

    public Dictionary<string, byte[]> Volumes { get; } = new(StringComparer.Ordinal);

    public int Begun { get; private set; }

    /// <summary>Called when a disk is begun; may wait or throw.</summary>
    public Func<CancellationToken, Task>? OnDisk { get; set; }

    public Task<IDiskRestore?> CreateDisksAsync(NewDisks disks, HostRun run, CancellationToken cancellationToken)
    {
        if (!disks.ResourceGroup.Equals(Group, StringComparison.OrdinalIgnoreCase)) return Task.FromResult<IDiskRestore?>(null);
        Begun++;
        return Task.FromResult<IDiskRestore?>(new Restore(this, disks, run));
    }

    private sealed class Restore(FakePool owner, NewDisks disks, HostRun run) : IDiskRestore
    {
        private readonly Dictionary<int, HostVolume> _made = [];

        public async Task<IDiskWriter> CreateDiskAsync(MachineDisk disk, CancellationToken cancellationToken)
        {
            var volume = new HostVolume(HostId, "vms", $"{disks.Source.Name}-{disk.Name}.{run.JobId:N}-{run.Fence}", $"/vms/{disk.Name}", disk.Format);
            var content = new byte[disk.SizeBytes];
            owner.Volumes.Add(volume.Name, content);
            _made.Add(disk.Lun, volume);
            if (owner.OnDisk is { } onDisk) await onDisk(cancellationToken);
            return new Writer(content);
        }

        public Task<IReadOnlyDictionary<int, HostVolume>> FinishAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyDictionary<int, HostVolume>>(_made);

        public async ValueTask DisposeAsync()
        {
            var stored = await owner.StoredAsync();
            foreach (var volume in _made.Values.Where(volume => !stored.Contains(volume))) owner.Volumes.Remove(volume.Name);
        }
    }

    private async Task<HashSet<HostVolume>> StoredAsync() =>
        [.. (await resources().ListAsync(Rig.Subscription, null, HostVolume.ResourceType, CancellationToken.None)).Select(HostVolume.Find).OfType<HostVolume>()];

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
