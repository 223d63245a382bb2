namespace Strongroom.Blocks.Nbd;

/// <summary>How to open an NBD export.</summary>
public sealed record NbdClientOptions
{
    /// <summary>Name of the export; empty for the server's default.</summary>
    public string ExportName { get; init; } = "";

    /// <summary>Meta contexts to ask for, by full name.</summary>
    public IReadOnlyList<string> MetaContexts { get; init; } = [NbdMetaContexts.BaseAllocation];

    /// <summary>Requests sent and not yet answered; more wait. QEMU works on 16 per connection.</summary>
    public int MaximumRequestsInFlight { get; init; } = 16;

    /// <summary>Time for connecting and negotiating.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a request waits for all of its answer. A server that takes longer is given up, with all that was asked of it, and the connection is broken.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long a cancelled request waits for its answer before the connection is given up: until then the server may still be writing into the caller's memory.</summary>
    public TimeSpan CancellationGrace { get; init; } = TimeSpan.FromSeconds(2);

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
