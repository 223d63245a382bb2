using Strongroom.Backup.Machines;
using Strongroom.Blocks;

namespace Strongroom.Backup.Tests.Support;

/// <summary>A machine whose disks are in memory. Nothing is frozen by a snapshot: a disk that is written while it is read says so.</summary>
internal sealed class FakeMachine(string name, string location = "home")
{
    public Guid VmId { get; } = Guid.NewGuid();

    public string Name { get; } = name;

    public List<FakeDisk> Disks { get; } = [];

    /// <summary>What its next snapshots say.</summary>
    public Guid? ChangesSince { get; set; }

    public VirtualMachine Describe() => new()
    {
        SubscriptionId = Rig.Subscription,
        ResourceGroup = "Lab",
        Name = Name,
        Location = location,
        VmId = VmId,
        HostId = $"/subscriptions/{Rig.Subscription}/resourceGroups/Lab/providers/Strongroom.Fabric/hosts/h",
        Disks = [.. Disks.Select(d => d.Describe())],
    };
}

/// <summary>A disk in memory.</summary>
internal sealed class FakeDisk(int lun, string name, byte[] content) : IMachineSnapshotDisk
{
    public byte[] Content { get; private set; } = content;

    /// <summary>Counts the writes.</summary>
    public int Version { get; private set; }

    /// <summary>What the machine's description says, where it is not the truth.</summary>
    public long? ClaimedSizeBytes { get; set; }

    /// <summary>Called before each read with its offset; may throw, wait or write.</summary>
    public Func<long, CancellationToken, ValueTask>? OnRead { get; set; }

    public long BytesRead;

    public MachineDisk Disk => Describe();

    public string? ResumeToken { get; set; }

    /// <summary>The host says that nothing has changed since; whether that is so is another matter.</summary>
    public bool KnowsChanges { get; set; }

    public MachineDisk Describe() => new(lun, name, ClaimedSizeBytes ?? Content.LongLength, "raw");

    /// <summary>A disk of bytes that hardly compress, with a hole in its middle.</summary>
    public static FakeDisk New(int lun, string name, int seed, int sizeBytes = 2 << 20)
    {
        var content = new byte[sizeBytes];
        new Random(seed).NextBytes(content);
        Array.Clear(content, sizeBytes / 3, sizeBytes / 4);
        return new(lun, name, content);
    }

    public void Write(int offset, params ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Content.AsSpan(offset));
        Version++;
    }

    public void Grow(int sizeBytes)
    {
        var grown = new byte[sizeBytes];
        Content.CopyTo(grown, 0);
        new Random(sizeBytes).NextBytes(grown.AsSpan(Content.Length));
        Content = grown;
        Version++;
    }

    public Task<IBlockSource> OpenAsync(bool sinceParent, CancellationToken cancellationToken) => Task.FromResult<IBlockSource>(new Source(this, KnowsChanges && sinceParent));

    private sealed class Source(FakeDisk disk, bool isUnchanged) : IBlockSource
    {
        private readonly byte[] _content = disk.Content;

        public long LengthBytes => _content.LongLength;

        public async IAsyncEnumerable<BlockExtent> MapAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.CompletedTask;
            yield return new(0, LengthBytes, isUnchanged ? BlockKind.Unchanged : BlockKind.Data);
        }

        public async ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            if (disk.OnRead is { } onRead) await onRead(offsetBytes, cancellationToken);
            Interlocked.Add(ref disk.BytesRead, buffer.Length);
            _content.AsMemory((int)offsetBytes, buffer.Length).CopyTo(buffer);
        }

        public ValueTask DisposeAsync() => default;
    }
}

/// <summary>Hosts whose machines are a list.</summary>
internal sealed class FakeFabric : IMachineFabric
{
    public List<FakeMachine> Machines { get; } = [];

    public int Snapshots { get; private set; }

    /// <summary>What the last snapshot was wanted for.</summary>
    public MachineSnapshotRequest? LastRequest { get; private set; }

    /// <summary>What snapshots name their moments by.</summary>
    public string? ChangeTracking { get; set; }

    /// <summary>Backups that died and were ended on the host.</summary>
    public List<(string Machine, Guid ItemKey, string? Tracking, bool MayBeFrozen)> Ended { get; } = [];

    public bool EndFails { get; set; }

    /// <summary>By what the last protected machine was to be known.</summary>
    public VirtualMachine? LastBefore { get; private set; }

    public Task<IReadOnlyList<VirtualMachine>> ListAsync(string subscriptionId, string? resourceGroup, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<VirtualMachine>>([.. Machines.Select(m => m.Describe()).Where(m => Same(m.SubscriptionId, subscriptionId) && (resourceGroup is null || Same(m.ResourceGroup, resourceGroup)))]);

    public async Task<VirtualMachine?> FindAsync(string subscriptionId, string resourceGroup, string name, CancellationToken cancellationToken) =>
        (await ListAsync(subscriptionId, resourceGroup, cancellationToken)).FirstOrDefault(m => Same(m.Name, name));

    public Task<VirtualMachine?> FindProtectedAsync(MachineId id, VirtualMachine? before, CancellationToken cancellationToken)
    {
        LastBefore = before;
        return FindAsync(id.SubscriptionId, id.ResourceGroup, id.Name, cancellationToken);
    }

    public Task EndBackupAsync(VirtualMachine machine, Guid itemKey, string? tracking, bool mayBeFrozen, CancellationToken cancellationToken)
    {
        Ended.Add((machine.Name, itemKey, tracking, mayBeFrozen));
        return EndFails ? throw new MachineException(MachineProblem.HostFailed, "The host refuses.") : Task.CompletedTask;
    }

    public Task ForgetAsync(VirtualMachine machine, Guid itemKey, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<IMachineSnapshot> SnapshotAsync(VirtualMachine machine, MachineSnapshotRequest request, CancellationToken cancellationToken)
    {
        Snapshots++;
        LastRequest = request;
        var found = Machines.Find(m => m.VmId == machine.VmId) ?? throw new MachineException(MachineProblem.NotFound, $"'{machine.Name}' is gone.");
        return Task.FromResult<IMachineSnapshot>(new Snapshot(machine, [.. found.Disks], found.ChangesSince, ChangeTracking));
    }

    private static bool Same(string left, string right) => left.Equals(right, StringComparison.OrdinalIgnoreCase);

    private sealed class Snapshot(VirtualMachine machine, FakeDisk[] disks, Guid? changesSince, string? changeTracking) : IMachineSnapshot
    {
        private readonly int[] _versions = [.. disks.Select(d => d.Version)];

        public string Consistency => "CrashConsistent";
        public IReadOnlyList<IMachineSnapshotDisk> Disks => disks;
        public VirtualMachine Machine => machine;
        public Guid? ChangesSince => changesSince;
        public string? ChangeTracking => changeTracking;

        public Task<IReadOnlyList<string>> FindChangesAsync(CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<string>>([.. disks.Where((d, n) => d.Version != _versions[n]).Select(d => $"{d.Describe().Name}: it was written")]);

        public ValueTask DisposeAsync() => default;
    }
}
