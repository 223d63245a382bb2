using System.Net;

namespace Strongroom.Blocks.Iscsi;

/// <summary>How to serve iSCSI targets.</summary>
public sealed record IscsiServerOptions
{
    /// <summary>Where to listen: loopback unless told otherwise. Port 0 takes a free one.</summary>
    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, 3260);

    /// <summary>The address that discovery names ("host:port"; an IPv6 address in brackets); null names the one that the initiator connected to.</summary>
    public string? TargetAddress { get; init; }

    /// <summary>Where overlays lie while they are used. Files lose their names as soon as they are open, and go with the process.</summary>
    public string OverlayFolder { get; init; } = Path.GetTempPath();

    /// <summary>Room on disk that the changes of one initiator port to one disk may take; writes beyond it fail with SPACE ALLOCATION FAILED.</summary>
    public long OverlayLimitBytes { get; init; } = 16L << 30;

    /// <summary>Room on the disk of <see cref="OverlayFolder"/> that changes leave to others; writes beyond it fail likewise.</summary>
    public long OverlayReserveBytes { get; init; } = 256L << 20;

    /// <summary>How long an overlay waits for an initiator whose connection was lost. After a logout it is gone at once.</summary>
    public TimeSpan OverlayRetention { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Connections at a time; further ones are closed at once.</summary>
    public int Connections { get; init; } = 64;

    /// <summary>Sessions of one target at a time.</summary>
    public int SessionsOfTarget { get; init; } = 16;

    /// <summary>Overlays of one target at a time, those waiting for their initiator included.</summary>
    public int OverlaysOfTarget { get; init; } = 32;

    /// <summary>Commands of one session under way.</summary>
    public int QueueDepth { get; init; } = 32;

    /// <summary>Bytes of data that the commands of one session take at a time; at least the longest transfer, 4 MiB.</summary>
    public int BytesInFlight { get; init; } = 32 << 20;

    /// <summary>Time that an initiator has to log in.</summary>
    public TimeSpan LoginTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>After this time without a word the initiator is asked whether it is there; after as long again its connection ends.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Told of a read or write that failed; the initiator gets a medium error. Called concurrently.</summary>
    public Action<Exception> OnFailure { get; init; } = static _ => { };

    /// <summary>Told of every login that succeeded or was refused. Called concurrently.</summary>
    public Action<IscsiLogin> OnLogin { get; init; } = static _ => { };

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
