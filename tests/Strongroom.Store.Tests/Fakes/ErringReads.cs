namespace Strongroom.Store.Tests.Fakes;

/// <summary>What is wrong with a read.</summary>
internal enum ReadError
{
    FirstByte,
    MiddleByte,
    LastByte,

    /// <summary>It stops before the end.</summary>
    Short,
}

/// <summary>One read, counted from 0, gives back something else than what is stored.</summary>
/// <param name="inner">What is stored.</param>
/// <param name="errsAt">Which one.</param>
/// <param name="error">How.</param>
/// <param name="spared">A blob whose reads are right and do not count.</param>
internal sealed class ErringReads(IBlobBackend inner, int errsAt, ReadError error, string? spared = null) : PassThroughBackend(inner)
{
    private int reads;

    public bool HasErred => reads > errsAt;

    public override async ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var count = await base.ReadAsync(name, offsetBytes, buffer, cancellationToken);
        if (name == spared || reads++ != errsAt || count == 0)
            return count;
        if (error == ReadError.Short)
            return count / 2;
        buffer.Span[error switch { ReadError.FirstByte => 0, ReadError.MiddleByte => count / 2, _ => count - 1 }] ^= 1;
        return count;
    }
}
