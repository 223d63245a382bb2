using Strongroom.Backup.Machines;
using Strongroom.Blocks;

namespace Strongroom.Backup.Tests.Support;

/// <summary>A host in memory, with at most one machine that runs from the vault.</summary>
internal sealed class FakeBooter : IInstantBooter
{
    private readonly Lock _gate = new();

    /// <summary>The machine is there.</summary>
    public bool IsMade { get; private set; }

    /// <summary>Somebody serves its disks now.</summary>
    public bool IsServed { get; private set; }

    /// <summary>What the machine reads of its first disk, once it has been served.</summary>
    public byte[] Read { get; private set; } = [];

    public int Boots { get; private set; }

    public int Ends { get; private set; }

    public int Abandoned { get; private set; }

    /// <summary>Called when the machine is to be made; may wait or throw.</summary>
    public Func<CancellationToken, Task> OnBoot { get; set; } = _ => Task.CompletedTask;

    /// <summary>Called when the machine is there and is to be started; may throw.</summary>
    public Func<Task> OnStart { get; set; } = () => Task.CompletedTask;

    /// <summary>The machine was started.</summary>
    public bool IsStarted { get; private set; }

    /// <summary>How far the data are; may throw.</summary>
    public Func<BootTransfer> OnTransfer { get; set; } = () => new(BootTransferState.IsDone, 0);

    public Task<IInstantBoot> BeginAsync(NewMachine machine, HostRun run, CancellationToken cancellationToken) => Task.FromResult<IInstantBoot>(new Boot(this));

    private sealed class Boot(FakeBooter owner) : IInstantBoot
    {
        private bool _serves;

        public bool IsMade => owner.IsMade;

        public async Task ServeAsync(IReadOnlyList<(MachineDisk Disk, IBlockDevice Content)> disks, CancellationToken cancellationToken)
        {
            lock (owner._gate)
            {
                Assert.False(owner.IsServed);
                owner.IsServed = _serves = true;
            }

            owner.Read = new byte[disks[0].Disk.SizeBytes];
            await disks[0].Content.ReadAsync(0, owner.Read, cancellationToken);
        }

        public async Task BootAsync(CancellationToken cancellationToken)
        {
            Assert.True(_serves);
            if (!owner.IsMade)
            {
                await owner.OnBoot(cancellationToken);
                owner.IsMade = true;
                owner.Boots++;
            }

            await owner.OnStart();
            owner.IsStarted = true;
        }

        public Task<BootTransfer> TransferAsync(CancellationToken cancellationToken)
        {
            Assert.True(_serves && owner.IsStarted);
            return Task.FromResult(owner.OnTransfer());
        }

        public Task EndAsync(CancellationToken cancellationToken)
        {
            owner.Ends++;
            return Task.CompletedTask;
        }

        public Task AbandonAsync()
        {
            owner.IsMade = false;
            owner.Abandoned++;
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            lock (owner._gate)
            {
                if (_serves) owner.IsServed = false;
                _serves = false;
            }

            return default;
        }
    }
}
