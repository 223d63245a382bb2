namespace Strongroom.Blocks.Nbd;

/// <summary>One or more connections to the same export, each request on the one with the least to do.</summary>
/// <remarks>Safe from many threads. One that breaks fails all that is asked from then on: a server that lost one has no claim to be trusted with the rest. Owns its clients.</remarks>
internal sealed class NbdConnections : IAsyncDisposable
{
    private readonly NbdClient[] _clients;
    private readonly int[] _underWay;

    public NbdConnections(params NbdClient[] clients)
    {
        _clients = clients;
        _underWay = new int[clients.Length];
    }

    public NbdExport Export => _clients[0].Export;

    public int Count => _clients.Length;

    /// <summary>Opens as many connections as are asked for and safe.</summary>
    /// <exception cref="IOException">One of them failed, or they do not show the same export.</exception>
    public static async Task<NbdConnections> OpenAsync(NbdAddress address, NbdClientOptions options, int count, bool isStable, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        var clients = new List<NbdClient>();
        try
        {
            clients.Add(await NbdClient.ConnectAsync(address, options, cancellationToken).ConfigureAwait(false));
            var first = clients[0].Export;
            while (clients.Count < count && (isStable || first.CanUseManyConnections))
            {
                clients.Add(await NbdClient.ConnectAsync(address, options, cancellationToken).ConfigureAwait(false));
                if (!IsSame(first, clients[^1].Export))
                    throw new IOException($"The NBD server at {address} shows the export '{options.ExportName}' differently on another connection.");
            }

            return new NbdConnections([.. clients]);
        }
        catch
        {
            await DisposeAllAsync(clients).ConfigureAwait(false);
            throw;
        }
    }

    public ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_clients.Length == 1)
            return _clients[0].ReadAsync(offsetBytes, buffer, cancellationToken);
        return ReadOnLeastBusyAsync(offsetBytes, buffer, cancellationToken);
    }

    public Task<IReadOnlyDictionary<string, IReadOnlyList<NbdExtent>>> BlockStatusAsync(long offsetBytes, long lengthBytes, CancellationToken cancellationToken) =>
        _clients[Choose()].BlockStatusAsync(offsetBytes, lengthBytes, cancellationToken);

    public ValueTask DisposeAsync() => DisposeAllAsync(_clients);

    private static async ValueTask DisposeAllAsync(IEnumerable<NbdClient> clients)
    {
        foreach (var client in clients)
            await client.DisposeAsync().ConfigureAwait(false);
    }

    private static bool IsSame(NbdExport one, NbdExport other) =>
        one.LengthBytes == other.LengthBytes
        && one.MinimumBlockSizeBytes == other.MinimumBlockSizeBytes
        && one.MetaContexts.Keys.ToHashSet(StringComparer.Ordinal).SetEquals(other.MetaContexts.Keys);

    private async ValueTask ReadOnLeastBusyAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var index = Choose();
        Interlocked.Increment(ref _underWay[index]);
        try
        {
            await _clients[index].ReadAsync(offsetBytes, buffer, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _underWay[index]);
        }
    }

    /// <summary>The least busy connection, or a broken one: what is asked of it fails with the cause.</summary>
    private int Choose()
    {
        var best = 0;
        for (var index = 0; index < _clients.Length; index++)
        {
            if (_clients[index].IsBroken)
                return index;
            if (Volatile.Read(ref _underWay[index]) < Volatile.Read(ref _underWay[best]))
                best = index;
        }

        return best;
    }
}
