namespace Strongroom.Store.Tests.Fakes;

/// <summary>A backend with a fault that no one foresaw: packs cannot be made visible.</summary>
internal sealed class BrokenCommits(IBlobBackend inner) : PassThroughBackend(inner)
{
    public bool IsBroken { get; set; }

    /// <summary>Appending fails so many times with an I/O error, and then works again.</summary>
    public int FailingAppends { get; set; }

    protected override ValueTask AppendAsync(string name, IBlobWriter writer, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        if (FailingAppends-- > 0)
            throw new StoreException(StoreErrorKind.Io, "The disk did not answer.");
        return base.AppendAsync(name, writer, data, cancellationToken);
    }

    protected override ValueTask<bool> CommitAsync(string name, IBlobWriter writer, CancellationToken cancellationToken) =>
        IsBroken ? throw new InvalidOperationException("A fault of the backend.") : base.CommitAsync(name, writer, cancellationToken);
}
