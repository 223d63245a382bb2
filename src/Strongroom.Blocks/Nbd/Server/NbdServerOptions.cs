namespace Strongroom.Blocks.Nbd.Server;

/// <summary>How to serve an NBD export.</summary>
public sealed record NbdServerOptions
{
    /// <summary>Name of the export; a client that names none gets it, too.</summary>
    public string ExportName { get; init; } = "";

    /// <summary>Clients at a time; further ones are closed at once. Each may keep <see cref="BytesInFlight"/> in memory.</summary>
    public int Connections { get; init; } = 16;

    /// <summary>Requests of one client worked on at a time; further ones are not read.</summary>
    public int RequestsInFlight { get; init; } = 32;

    /// <summary>Bytes of data that the requests of one client take at a time; at least the longest request, 32 MiB.</summary>
    public int BytesInFlight { get; init; } = 64 << 20;

    /// <summary>Time that a client has for the negotiation.</summary>
    public TimeSpan NegotiationTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Told of a read or write that failed; the client gets an input/output error. Called concurrently.</summary>
    public Action<Exception> OnFailure { get; init; } = static _ => { };

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
