namespace Strongroom.Store.Tests.Fakes;

/// <summary>Counts what a vault asks of its storage, as a service would bill it.</summary>
internal sealed class CountingBackend : BentBackend, IBlobBackend
{
    private long requests;
    private long bytes;
    private int misreads;

    public ReadPattern Reads { get; set; } = ReadPattern.Service;

    /// <summary>Requests since the last look, and the bytes that they brought.</summary>
    public (long Requests, long Bytes) Take() => (Interlocked.Exchange(ref requests, 0), Interlocked.Exchange(ref bytes, 0));

    /// <summary>The next read below a folder brings wrong bits.</summary>
    public void Misread(string folder) => (MisreadFolder, misreads) = (folder, 1);

    private string MisreadFolder { get; set; } = "";

    public override async ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref requests);
        var read = await base.ReadAsync(name, offsetBytes, buffer, cancellationToken);
        Interlocked.Add(ref bytes, read);
        if (misreads > 0 && name.StartsWith(MisreadFolder, StringComparison.Ordinal) && read > 1000 && Interlocked.Decrement(ref misreads) >= 0)
            buffer.Span[..read].Fill(7);
        return read;
    }

    public override ValueTask<long?> GetLengthAsync(string name, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref requests);
        return base.GetLengthAsync(name, cancellationToken);
    }

    public override IAsyncEnumerable<BlobInfo> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref requests);
        return base.ListAsync(prefix, cancellationToken);
    }
}
