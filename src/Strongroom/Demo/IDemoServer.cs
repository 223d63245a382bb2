using Strongroom.Client;

namespace Strongroom.Demo;

/// <summary>What the demo asks of the server that it starts.</summary>
internal sealed record DemoServerOptions
{
    /// <summary>The server's data folder; exists and belongs to the demo.</summary>
    public required string DataFolder { get; init; }

    /// <summary>The one folder below which the server may read disks (its <c>--allow-path</c>); exists.</summary>
    public required string MachinesFolder { get; init; }

    /// <summary>What the server tells clients to wait between two polls; short, because everything is on one machine.</summary>
    public int RetryAfterSeconds { get; init; } = 1;
}

/// <summary>A running server and what a client needs to know of it. Disposing it stops it.</summary>
internal interface IDemoServer : ISignIn, IAsyncDisposable
{
    string SubscriptionId { get; }

    /// <summary>The PEM file of the certificate authority that signed the server's certificate; nothing else is trusted.</summary>
    string CaFile { get; }

    /// <summary>The folder below which the sample machines go, as the server knows it.</summary>
    string MachinesFolder { get; }
}
