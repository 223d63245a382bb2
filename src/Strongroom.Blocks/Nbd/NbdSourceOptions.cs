namespace Strongroom.Blocks.Nbd;

/// <summary>How to read an NBD export as a disk.</summary>
public sealed record NbdSourceOptions
{
    /// <summary>How each connection is opened. The meta contexts that the source needs are added to those named here.</summary>
    public NbdClientOptions Client { get; init; } = new();

    /// <summary>Name of the dirty bitmap, as QEMU exports it, whose clean runs are unchanged since the parent; null to read all.</summary>
    public string? ChangedBitmap { get; init; }

    /// <summary>Connections that the reads are spread over, where the server says that they all see the same data; one otherwise.</summary>
    public int Connections { get; init; } = 1;

    /// <summary>The caller knows that nobody writes to the export, so that several connections are safe also where the server does not say so.</summary>
    public bool IsStable { get; init; }
}
