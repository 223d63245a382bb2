using System.Runtime.CompilerServices;
using Strongroom.Store.Simulation.Scheduling;

namespace Strongroom.Store.Simulation.Storage;

/// <summary>One process's way to the storage. Every call takes simulated time and may go wrong; when the process dies, every call fails.</summary>
internal sealed class Door(SimulatedStorage storage, FaultPlan plan, SimulationScheduler scheduler, SimulatedClock clock, Random random, string name)
    : IBlobBackend
{
    private readonly List<Door> poweredTogether = [];
    private Door? companion;

    public bool IsDead { get; private set; }

    /// <summary>Faults that this process was answered with.</summary>
    public int Faults { get; private set; }

    /// <summary>Faults of the process, by whichever of its ways.</summary>
    public int FaultsOfProcess => Faults + (companion?.Faults ?? 0);

    /// <summary>Doors whose processes a power cut ends as well.</summary>
    public void PowerTogetherWith(IEnumerable<Door> others) => poweredTogether.AddRange(others);

    /// <summary>This is a way of the same process to other storage: they die together.</summary>
    public void Join(Door other)
    {
        companion = other;
        other.companion = this;
    }

    /// <summary>Ends the process.</summary>
    public void Kill()
    {
        IsDead = true;
        if (companion is { IsDead: false })
            companion.Kill();
    }

    public ValueTask<IBlobWriter> CreateAsync(string blobName, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        RequireLife();
        return new(new Writer(this, blobName));
    }

    public async ValueTask<bool> PutIfAbsentAsync(string blobName, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var bytes = content.ToArray();
        return await ChangeAsync($"put {blobName}", blobName, () => Show(blobName, bytes), false);
    }

    public async ValueTask<int> ReadAsync(string blobName, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var fault = await BeginAsync($"read {blobName} {offsetBytes} {buffer.Length}");
        if (storage.Find(blobName) is not { } content)
            throw StoreException.BlobMissing(blobName);
        var count = (int)Math.Clamp(content.Length - offsetBytes, 0, buffer.Length);
        if (fault == Fault.ShortRead && count > 0)
            count = CutShort(count);
        content.AsSpan((int)Math.Min(offsetBytes, content.Length), count).CopyTo(buffer.Span);
        if (fault == Fault.Misread && count > 0)
            buffer.Span[random.Next(count)] ^= (byte)(1 << random.Next(8));
        return count;
    }

    public async ValueTask<long?> GetLengthAsync(string blobName, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await BeginAsync($"length {blobName}");
        return storage.Find(blobName)?.Length;
    }

    public async IAsyncEnumerable<BlobInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await BeginAsync($"list {prefix}");
        var found = storage.Names.Where(one => one.StartsWith(prefix, StringComparison.Ordinal)).ToList();
        foreach (var blobName in found)
        {
            // Between two pages of a listing others go on: what was deleted meanwhile may still be listed.
            yield return new(blobName, storage.Find(blobName)?.Length ?? 1);
        }
    }

    public async ValueTask<bool> DeleteAsync(string blobName, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return await ChangeAsync($"delete {blobName}", null, () => storage.Delete(blobName), true);
    }

    public async ValueTask SyncAsync(string prefix, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await BeginAsync($"sync {prefix}");
        storage.Sync(prefix);
    }

    public async ValueTask RemoveLeftoversAsync(CancellationToken cancellationToken) => await BeginAsync("leftovers");

    /// <summary>The common beginning of calls; throws what goes wrong before anything is done.</summary>
    private async Task<Fault> BeginAsync(string what)
    {
        if (TaskScheduler.Current != scheduler)
            throw new InvalidOperationException($"'{what}' comes from outside the simulation: something in the store left its scheduler.");
        RequireLife();
        var fault = plan.Next(random);

        scheduler.Record($"{name} {string.Join(' ', what.Split(' ').Select(SimulatedStorage.StableName))} {fault}");
        await DelayAsync();
        RequireLife();
        switch (fault)
        {
            case Fault.ErrorBefore:
                Faults++;
                throw Failure();
            case Fault.CrashBefore:
                Kill();
                throw Dead();
            case Fault.PowerCut when !what.StartsWith("put", StringComparison.Ordinal) && !what.StartsWith("delete", StringComparison.Ordinal):
                CutPower();
                throw Dead();
            case Fault.CrashAfter when !what.StartsWith("put", StringComparison.Ordinal) && !what.StartsWith("delete", StringComparison.Ordinal):
                Kill();
                throw Dead();
            case Fault.ShortRead or Fault.Misread:
                Faults++;
                break;
        }

        return fault;
    }

    private async Task<bool> ChangeAsync(string what, string? created, Func<bool> change, bool isConflictFree)
    {
        Fault fault;
        try
        {
            fault = await BeginAsync(what);
        }
        catch (StoreException) when (IsDead && random.Next(4) == 0)
        {
            // The request was on its way when its process died, and lands.
            change();
            throw;
        }

        if (fault == Fault.Full && created is not null)
        {
            Faults++;
            throw new StoreException(StoreErrorKind.Full, $"No space is left for '{created}'.");
        }

        if (fault == Fault.Conflict && !isConflictFree)
        {
            Faults++;
            if (random.Next(2) == 0)
            {
                change();
                storage.Sync(created!);
            }

            return false;
        }

        var result = change();
        await DelayAsync();
        if (fault == Fault.PowerCut)
            CutPower();
        if (fault == Fault.CrashAfter)
            Kill();
        RequireLife();
        if (created is not null)
            storage.Sync(created);
        if (fault != Fault.ErrorAfter)
            return result;
        Faults++;
        throw Failure();
    }

    private void CutPower()
    {
        storage.CutPower(random);
        Kill();
        foreach (var other in poweredTogether)
            other.Kill();
    }

    private async Task DelayAsync()
    {
        if (plan.LatencyMilliseconds > 0 && random.Next(2) == 0)
            await Task.Delay(TimeSpan.FromMilliseconds(1 + random.Next(plan.LatencyMilliseconds)), clock, CancellationToken.None);
        else
            await Task.Yield();
    }

    private int CutShort(int count) => random.Next(count);

    private bool Show(string blobName, byte[] content) => storage.TryAdd(blobName, content);

    private static StoreException Failure() => new(StoreErrorKind.Io, "The storage did not answer.");

    private static StoreException Dead() => new(StoreErrorKind.Io, "The process is dead.");

    private void RequireLife()
    {
        if (IsDead)
            throw Dead();
    }

    private sealed class Writer(Door door, string blobName) : IBlobWriter
    {
        private readonly MemoryStream content = new();

        public long LengthBytes => content.Length;

        public async ValueTask AppendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (await door.BeginAsync($"append {blobName} {data.Length}") == Fault.Full)
            {
                door.Faults++;
                throw new StoreException(StoreErrorKind.Full, $"No space is left for '{blobName}'.");
            }

            content.Write(data.Span);
        }

        public async ValueTask<int> ReadBackAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var fault = await door.BeginAsync($"readback {blobName}");
            var count = (int)Math.Clamp(content.Length - offsetBytes, 0, buffer.Length);
            if (fault == Fault.ShortRead && count > 0)
                count = door.CutShort(count);
            content.GetBuffer().AsSpan((int)offsetBytes, count).CopyTo(buffer.Span);
            return count;
        }

        public async ValueTask FlushAsync(CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await door.BeginAsync($"flush {blobName}");
        }

        public async ValueTask<bool> CommitAsync(CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var bytes = content.ToArray();
            return await door.ChangeAsync($"put {blobName}", blobName, () => door.Show(blobName, bytes), false);
        }

        public ValueTask DisposeAsync() => default;
    }
}
