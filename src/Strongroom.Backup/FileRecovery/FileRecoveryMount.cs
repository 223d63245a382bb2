using System.Collections.Immutable;
using System.Security.Cryptography;
using Strongroom.Backup.Items;
using Strongroom.Backup.RecoveryPoints;

namespace Strongroom.Backup.FileRecovery;

/// <summary>A disk of a mounted recovery point, as initiators see it.</summary>
/// <param name="Number">Number of the logical unit, from 0, in the order of the machine's LUNs.</param>
/// <param name="Name">The disk's name in the recovery point.</param>
/// <param name="SizeBytes">The virtual size.</param>
/// <param name="Serial">What its serial number begins with.</param>
public sealed record MountedDisk(byte Number, string Name, long SizeBytes, string Serial);

/// <summary>What somebody asks for who wants files of a recovery point.</summary>
/// <param name="InitiatorName">The only initiator that may come; null: any that knows the password.</param>
/// <param name="Renews">A mount of the point that is there already is to last for another 12 hours, instead of a new one.</param>
/// <param name="Origin">Scheme, host and port that the server is known by to who asks.</param>
public sealed record FileRecoveryRequest(string? InitiatorName, bool Renews, Uri Origin);

/// <summary>A recovery point that is shown over iSCSI for a while. Lives in memory alone: a restart of the server ends it.</summary>
public sealed class FileRecoveryMount : IDisposable
{
    /// <summary>As many as the target lets sessions in.</summary>
    private const int MaxTunnels = 16;

    private readonly CancellationTokenSource _ended = new();
    private readonly SemaphoreSlim _tunnels = new(MaxTunnels);
    private long _endsAtTicks;

    internal FileRecoveryMount(Guid id, ProtectedItem item, RecoveryPoint point, FileRecoveryRequest request, DateTimeOffset startedAt)
    {
        (Id, ItemKey, VaultKey, NativeName, Point, Request, StartedAt) = (id, item.Key, item.VaultKey, item.NativeName, point, request, startedAt);
        Ended = _ended.Token;
        Secrets = RecoverySecrets.New(VaultKey, id);
        Disks = [.. point.Disks.Select((disk, index) => new MountedDisk((byte)index, disk.Name, disk.SizeBytes, $"{id:N}"[..12] + $"-{index}"))];
        EndsAt = startedAt + FileRecoveryOptions.Lifetime;
    }

    public Guid Id { get; }

    public Guid VaultKey { get; }

    public Guid ItemKey { get; }

    /// <summary>The item's native name.</summary>
    public string NativeName { get; }

    public RecoveryPoint Point { get; }

    public FileRecoveryRequest Request { get; }

    public DateTimeOffset StartedAt { get; }

    /// <summary>When it ends by itself; later once it is renewed.</summary>
    public DateTimeOffset EndsAt
    {
        get => new(Volatile.Read(ref _endsAtTicks), TimeSpan.Zero);
        internal set => Volatile.Write(ref _endsAtTicks, value.UtcTicks);
    }

    public RecoverySecrets Secrets { get; }

    public ImmutableArray<MountedDisk> Disks { get; }

    /// <summary>14 hexadecimal digits, with which the script's file name ends; they mean nothing.</summary>
    public string Tail { get; } = RandomNumberGenerator.GetHexString(14, lowercase: true);

    /// <summary>The target's name (RFC 7143, 4.2.7.2).</summary>
    public string TargetName => $"iqn.2026-01.io.strongroom:{Id:D}";

    /// <summary>Cancelled when it ends.</summary>
    public CancellationToken Ended { get; }

    /// <summary>A place for a connection through the tunnel, given back by disposing it; null when all are taken.</summary>
    public IDisposable? TryEnterTunnel() => _tunnels.Wait(0) ? new TunnelPlace(_tunnels) : null;

    /// <summary>Tells those who use it that it has ended.</summary>
    public void Dispose()
    {
        if (Ended.IsCancellationRequested) return;
        _ended.Cancel();
        _ended.Dispose();
    }

    private sealed class TunnelPlace(SemaphoreSlim tunnels) : IDisposable
    {
        public void Dispose() => tunnels.Release();
    }
}
