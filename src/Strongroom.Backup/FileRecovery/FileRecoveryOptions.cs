using System.Net;

namespace Strongroom.Backup.FileRecovery;

/// <summary>How recovery points are mounted on other machines.</summary>
public sealed record FileRecoveryOptions
{
    /// <summary>The port that iSCSI has from IANA.</summary>
    public const int StandardPort = 3260;

    /// <summary>How long a mount lasts, unless it is revoked or renewed; so the service.</summary>
    public static TimeSpan Lifetime { get; } = TimeSpan.FromHours(12);

    /// <summary>Where iSCSI is listened for. Null: on loopback, at the standard port or, where that is taken, at a free one. Scripts come through the tunnel in any case.</summary>
    public IPEndPoint? Listen { get; init; }

    /// <summary>The address that discovery names, <c>host:port</c>; null: the one that the initiator connected to.</summary>
    public string? TargetAddress { get; init; }

    /// <summary>Where scripts connect to, and whom they expect there; null: host and port of the request that a script is made for, as is its port where this has none.</summary>
    public PortalAddress? Portal { get; init; }

    /// <summary>PEM of the authority that scripts are to trust; null: the authorities that every machine trusts.</summary>
    public string? AuthorityPem { get; init; }

    /// <summary>Where what initiators write is kept while they are connected. The files have no names.</summary>
    public required string OverlayFolder { get; init; }

    /// <summary>Mounts at a time.</summary>
    public int MaxMounts { get; init; } = 32;

    /// <summary>Mounts of one item at a time: a client that asks again and again does not take all places.</summary>
    public int MaxMountsOfItem { get; init; } = 8;
}
