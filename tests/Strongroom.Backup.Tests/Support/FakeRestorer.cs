using Strongroom.Backup.Machines;
using Strongroom.Blocks;

namespace Strongroom.Backup.Tests.Support;

/// <summary>Hosts in memory that take restored machines: each commit adds a machine or changes its disks, whole.</summary>
internal sealed class FakeRestorer(FakeFabric fabric) : IMachineRestorer
{
    private readonly HashSet<Guid> _committed = [];

    /// <summary>Called when a disk is begun; may wait or throw.</summary>
    public Func<CancellationToken, Task>? OnDisk { get; set; }

    /// <summary>Called after a commit; may throw, as a server that ends.</summary>
    public Action? AfterCommit { get; set; }

    /// <summary>What the last machine was asked to be.</summary>
    public NewMachine? Wanted { get; private set; }

    public int Begun { get; private set; }

    public int Commits { get; private set; }

    /// <summary>Restores that ended without a commit.</summary>
    public int Abandoned { get; private set; }

    public Task<IMachineRestore> CreateAsync(NewMachine machine, HostRun run, CancellationToken cancellationToken)
    {
        Wanted = machine;
        if (!_committed.Contains(run.JobId) && fabric.Machines.Exists(m => m.Name == machine.Name)) throw new MachineException(MachineProblem.NameTaken, "The name is taken.");
        return Begin(run, disks =>
        {
            var made = new FakeMachine(machine.Name);
            made.Disks.AddRange(disks);
            fabric.Machines.Add(made);
        });
    }

    public Task<IMachineRestore> ReplaceAsync(VirtualMachine machine, HostRun run, CancellationToken cancellationToken)
    {
        var found = fabric.Machines.Single(m => m.VmId == machine.VmId);
        return Begin(run, disks =>
        {
            foreach (var disk in disks) found.Disks[found.Disks.FindIndex(d => d.Disk.Name == disk.Disk.Name)] = disk;
        });
    }

    public Task SweepAsync(string subscriptionId, CancellationToken cancellationToken) => Task.CompletedTask;

    private Task<IMachineRestore> Begin(HostRun run, Action<List<FakeDisk>> put)
    {
        Begun++;
        return Task.FromResult<IMachineRestore>(new Restore(this, run, put));
    }

    private sealed class Restore(FakeRestorer owner, HostRun run, Action<List<FakeDisk>> put) : IMachineRestore
    {
        private readonly List<Writer> _writers = [];
        private bool _isDone;

        public bool IsCommitted { get; } = owner._committed.Contains(run.JobId);

        public async Task<IDiskWriter> CreateDiskAsync(MachineDisk disk, CancellationToken cancellationToken)
        {
            if (owner.OnDisk is { } onDisk) await onDisk(cancellationToken);
            var writer = new Writer(disk);
            _writers.Add(writer);
            return writer;
        }

        public Task CommitAsync(CancellationToken cancellationToken)
        {
            Assert.All(_writers, w => Assert.True(w.IsFinished));
            put(_writers.ConvertAll(w => w.Disk));
            owner._committed.Add(run.JobId);
            owner.Commits++;
            _isDone = true;
            owner.AfterCommit?.Invoke();
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            if (!_isDone && !IsCommitted) owner.Abandoned++;
            return default;
        }
    }

    private sealed class Writer(MachineDisk disk) : IDiskWriter
    {
        private readonly byte[] _content = new byte[disk.SizeBytes];

        public bool IsFinished { get; private set; }

        public FakeDisk Disk => new(disk.Lun, disk.Name, _content);

        public ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
        {
            data.CopyTo(_content.AsMemory((int)offsetBytes));
            return default;
        }

        public Task FinishAsync(CancellationToken cancellationToken)
        {
            IsFinished = true;
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync() => default;
    }
}
