namespace Strongroom.Store.Tests.Fakes;

/// <summary>A back end in memory that a test bends at one place: every call can be replaced.</summary>
internal class BentBackend : PassThroughBackend
{
    public BentBackend()
        : this(new())
    {
    }

    protected BentBackend(MemoryBackend inner)
        : base(inner) => Inner = inner;

    public MemoryBackend Inner { get; }
}
