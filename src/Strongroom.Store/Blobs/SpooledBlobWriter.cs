namespace Strongroom.Store;

/// <summary>A writer for object storage: bytes are kept in a <see cref="BlobSpool"/> and sent in parts while more are appended.</summary>
/// <remarks>
/// A blob that ends before its second part goes as one request. A part that failed is sent again when the commit is repeated. Derived classes
/// say how one request is made; their calls come concurrently for parts and one at a time otherwise.
/// </remarks>
public abstract class SpooledBlobWriter : IBlobWriter
{
    private readonly BlobSpool spool = new();
    private readonly CancellationTokenSource life = new();
    private readonly SemaphoreSlim slots;
    private readonly List<Task> parts = [];
    private readonly int partLengthBytes;
    private readonly long greatestLengthBytes;
    private bool? isCreated;

    /// <param name="partLengthBytes">Length of each part but the last; 0 when the blob always goes as one request.</param>
    /// <param name="concurrentParts">Parts under way at once; appending waits for a place.</param>
    /// <param name="greatestLengthBytes">The longest blob that the storage takes this way.</param>
    protected SpooledBlobWriter(int partLengthBytes, int concurrentParts, long greatestLengthBytes)
    {
        this.partLengthBytes = partLengthBytes;
        this.greatestLengthBytes = greatestLengthBytes;
        slots = new(concurrentParts, concurrentParts);
    }

    /// <inheritdoc/>
    public long LengthBytes => spool.LengthBytes;

    /// <inheritdoc/>
    /// <exception cref="StoreException">InvalidRequest: the storage takes no blob of that length; nothing of <paramref name="data"/> was kept.</exception>
    public async ValueTask AppendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        // Said before anything is sent: the storage would say so after gigabytes.
        if (spool.LengthBytes + data.Length > greatestLengthBytes)
            throw new StoreException(StoreErrorKind.InvalidRequest, $"The blob would be longer than {greatestLengthBytes} bytes, the most that this storage takes in one. Make packs smaller.");
        await spool.AppendAsync(data, cancellationToken);

        // The last whole part waits for a byte after it: what is one part only is sent as one blob.
        while (partLengthBytes > 0 && spool.LengthBytes > (long)(parts.Count + 1) * partLengthBytes)
            await BeginPartAsync(parts.Count, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<int> ReadBackAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) =>
        spool.ReadAsync(offsetBytes, buffer, cancellationToken);

    /// <inheritdoc/>
    public ValueTask FlushAsync(CancellationToken cancellationToken) => default;

    /// <inheritdoc/>
    public async ValueTask<bool> CommitAsync(CancellationToken cancellationToken)
    {
        isCreated ??= parts.Count == 0
            ? await CreateWholeAsync(spool.OpenRead(0, spool.LengthBytes), cancellationToken)
            : await CommitAllPartsAsync(cancellationToken);
        return isCreated.Value;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await life.CancelAsync();
        try
        {
            await Task.WhenAll(parts);
        }
        catch (Exception failure) when (failure is StoreException or OperationCanceledException)
        {
            // Whoever needed the parts was told at the commit.
        }

        try
        {
            if (parts.Count > 0 && isCreated is not true)
                await AbandonPartsAsync();
        }
        catch (StoreException)
        {
            // Invisible leftovers, which the storage or RemoveLeftoversAsync removes some day.
        }

        spool.Dispose();
        slots.Dispose();
        life.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Creates the blob in one request. False when the name is taken.</summary>
    protected abstract Task<bool> CreateWholeAsync(Stream content, CancellationToken cancellationToken);

    /// <summary>Sends a part, counted from 0. May be called again for one that failed.</summary>
    protected abstract Task SendPartAsync(int index, Stream content, CancellationToken cancellationToken);

    /// <summary>Makes the blob of all its parts visible. False when the name is taken. May be called again after a failure.</summary>
    protected abstract Task<bool> CommitPartsAsync(int count, CancellationToken cancellationToken);

    /// <summary>Removes parts that no commit will use; nothing where the storage does so itself.</summary>
    protected abstract Task AbandonPartsAsync();

    private async Task<bool> CommitAllPartsAsync(CancellationToken cancellationToken)
    {
        for (var index = 0; index < parts.Count; index++)
        {
            if (parts[index].IsFaulted)
                await BeginPartAsync(index, cancellationToken);
        }

        while ((long)parts.Count * partLengthBytes < spool.LengthBytes)
            await BeginPartAsync(parts.Count, cancellationToken);
        await Task.WhenAll(parts).WaitAsync(cancellationToken);
        return await CommitPartsAsync(parts.Count, cancellationToken);
    }

    private async Task BeginPartAsync(int index, CancellationToken cancellationToken)
    {
        await slots.WaitAsync(cancellationToken);
        var sending = SendAsync(index);
        if (index == parts.Count)
            parts.Add(sending);
        else
            parts[index] = sending;
    }

    private async Task SendAsync(int index)
    {
        try
        {
            var offset = (long)index * partLengthBytes;
            await using var content = spool.OpenRead(offset, Math.Min(partLengthBytes, spool.LengthBytes - offset));
            await SendPartAsync(index, content, life.Token);
        }
        finally
        {
            slots.Release();
        }
    }
}
