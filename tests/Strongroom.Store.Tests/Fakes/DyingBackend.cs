namespace Strongroom.Store.Tests.Fakes;

/// <summary>How the operation at which a process dies leaves the storage.</summary>
internal enum Death
{
    /// <summary>The operation did nothing.</summary>
    Before,

    /// <summary>The operation was done, but nobody heard of it.</summary>
    After,

    /// <summary>A blob became visible with half its bytes, as on a disk that lies about fsync.</summary>
    Torn,
}

/// <summary>A backend whose process dies at one changing operation: that and every later one fail.</summary>
internal sealed class DyingBackend(IBlobBackend inner, int diesAt, Death death) : IBlobBackend
{
    private int operations;

    public bool IsDead => Volatile.Read(ref operations) > diesAt;

    public int Operations => Volatile.Read(ref operations);

    /// <summary>The blob that the death tore, if it tore one.</summary>
    public string? TornName { get; private set; }

    public async ValueTask<IBlobWriter> CreateAsync(string name, CancellationToken cancellationToken)
    {
        RequireLife();
        return new Writer(this, name, await inner.CreateAsync(name, cancellationToken));
    }

    public async ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (!Dies())
            return await inner.PutIfAbsentAsync(name, content, cancellationToken);
        if (death != Death.Before)
            await inner.PutIfAbsentAsync(name, Tears(name) ? content[..(content.Length / 2)] : content, cancellationToken);
        throw Dead();
    }

    public ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        RequireLife();
        return inner.ReadAsync(name, offsetBytes, buffer, cancellationToken);
    }

    public ValueTask<long?> GetLengthAsync(string name, CancellationToken cancellationToken)
    {
        RequireLife();
        return inner.GetLengthAsync(name, cancellationToken);
    }

    public IAsyncEnumerable<BlobInfo> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        RequireLife();
        return inner.ListAsync(prefix, cancellationToken);
    }

    public async ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        if (!Dies())
            return await inner.DeleteAsync(name, cancellationToken);
        if (death == Death.After)
            await inner.DeleteAsync(name, cancellationToken);
        throw Dead();
    }

    public ValueTask SyncAsync(string prefix, CancellationToken cancellationToken)
    {
        RequireLife();
        return inner.SyncAsync(prefix, cancellationToken);
    }

    public ValueTask RemoveLeftoversAsync(CancellationToken cancellationToken)
    {
        RequireLife();
        return inner.RemoveLeftoversAsync(cancellationToken);
    }

    private static StoreException Dead() => new(StoreErrorKind.Io, "The process is dead.");

    private bool Tears(string name)
    {
        if (death != Death.Torn || name == "vault.json" || name.StartsWith("keys/", StringComparison.Ordinal))
            return false;
        TornName = name;
        return true;
    }

    private bool Dies()
    {
        var at = Interlocked.Increment(ref operations);
        return at > diesAt + 1 ? throw Dead() : at == diesAt + 1;
    }

    private void RequireLife()
    {
        if (IsDead)
            throw Dead();
    }

    private sealed class Writer(DyingBackend owner, string name, IBlobWriter inner) : IBlobWriter
    {
        public long LengthBytes => inner.LengthBytes;

        public ValueTask AppendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) =>
            owner.Dies() ? throw Dead() : inner.AppendAsync(data, cancellationToken);

        public ValueTask<int> ReadBackAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            owner.RequireLife();
            return inner.ReadBackAsync(offsetBytes, buffer, cancellationToken);
        }

        public ValueTask FlushAsync(CancellationToken cancellationToken)
        {
            owner.RequireLife();
            return inner.FlushAsync(cancellationToken);
        }

        public async ValueTask<bool> CommitAsync(CancellationToken cancellationToken)
        {
            if (!owner.Dies())
                return await inner.CommitAsync(cancellationToken);
            if (owner.Tears(name))
                await owner.PutHalfAsync(name, inner);
            else if (owner.HappensAnyway)
                await inner.CommitAsync(cancellationToken);
            throw Dead();
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }

    private bool HappensAnyway => death != Death.Before;

    private async Task PutHalfAsync(string name, IBlobWriter writer)
    {
        var half = new byte[writer.LengthBytes / 2];
        await writer.ReadBackAsync(0, half, CancellationToken.None);
        await inner.PutIfAbsentAsync(name, half, CancellationToken.None);
    }
}
