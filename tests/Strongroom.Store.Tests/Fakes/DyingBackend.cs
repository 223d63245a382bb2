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
internal sealed class DyingBackend(IBlobBackend inner, int diesAt, Death death) : PassThroughBackend(inner)
{
    private int operations;

    public bool IsDead => Volatile.Read(ref operations) > diesAt;

    public int Operations => Volatile.Read(ref operations);

    /// <summary>The blob that the death tore, if it tore one.</summary>
    public string? TornName { get; private set; }

    public override ValueTask<IBlobWriter> CreateAsync(string name, CancellationToken cancellationToken)
    {
        RequireLife();
        return base.CreateAsync(name, cancellationToken);
    }

    public override async ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (!Dies())
            return await base.PutIfAbsentAsync(name, content, cancellationToken);
        if (death != Death.Before)
            await base.PutIfAbsentAsync(name, Tears(name) ? content[..(content.Length / 2)] : content, cancellationToken);
        throw Dead();
    }

    public override ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        RequireLife();
        return base.ReadAsync(name, offsetBytes, buffer, cancellationToken);
    }

    public override ValueTask<long?> GetLengthAsync(string name, CancellationToken cancellationToken)
    {
        RequireLife();
        return base.GetLengthAsync(name, cancellationToken);
    }

    public override IAsyncEnumerable<BlobInfo> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        RequireLife();
        return base.ListAsync(prefix, cancellationToken);
    }

    public override async ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        if (!Dies())
            return await base.DeleteAsync(name, cancellationToken);
        if (death == Death.After)
            await base.DeleteAsync(name, cancellationToken);
        throw Dead();
    }

    public override ValueTask SyncAsync(string prefix, CancellationToken cancellationToken)
    {
        RequireLife();
        return base.SyncAsync(prefix, cancellationToken);
    }

    public override ValueTask RemoveLeftoversAsync(CancellationToken cancellationToken)
    {
        RequireLife();
        return base.RemoveLeftoversAsync(cancellationToken);
    }

    protected override ValueTask AppendAsync(string name, IBlobWriter writer, ReadOnlyMemory<byte> data, CancellationToken cancellationToken) =>
        Dies() ? throw Dead() : base.AppendAsync(name, writer, data, cancellationToken);

    protected override ValueTask<int> ReadBackAsync(string name, IBlobWriter writer, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        RequireLife();
        return base.ReadBackAsync(name, writer, offsetBytes, buffer, cancellationToken);
    }

    protected override ValueTask FlushAsync(string name, IBlobWriter writer, CancellationToken cancellationToken)
    {
        RequireLife();
        return base.FlushAsync(name, writer, cancellationToken);
    }

    protected override async ValueTask<bool> CommitAsync(string name, IBlobWriter writer, CancellationToken cancellationToken)
    {
        if (!Dies())
            return await base.CommitAsync(name, writer, cancellationToken);
        if (Tears(name))
            await PutHalfAsync(name, writer);
        else if (death != Death.Before)
            await base.CommitAsync(name, writer, cancellationToken);
        throw Dead();
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

    private async Task PutHalfAsync(string name, IBlobWriter writer)
    {
        var half = new byte[writer.LengthBytes / 2];
        await writer.ReadBackAsync(0, half, CancellationToken.None);
        await base.PutIfAbsentAsync(name, half, CancellationToken.None);
    }
}
