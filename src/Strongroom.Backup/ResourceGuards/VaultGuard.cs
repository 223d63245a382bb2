using System.Collections.Immutable;

namespace Strongroom.Backup.ResourceGuards;

/// <summary>The resource guard that a vault is under.</summary>
/// <param name="ResourceGuardId">Its ARM id.</param>
/// <param name="UpdatedAt">When the vault was put under it.</param>
public sealed record VaultGuard(string ResourceGuardId, DateTimeOffset UpdatedAt)
{
    /// <summary>How long a deletion stays unlocked. Clients delete at once.</summary>
    public static readonly TimeSpan UnlockedFor = TimeSpan.FromMinutes(10);

    /// <summary>What deletions have been unlocked, some of which may be over.</summary>
    public ImmutableArray<GuardUnlock> Unlocks { get; init => field = value.IsDefaultOrEmpty ? [] : value; } = [];

    /// <summary>The id of the guard's request for an operation.</summary>
    public string RequestOf(CriticalOperation operation) => $"{ResourceGuardId}/{operation.RequestType}/default";

    /// <param name="nativeName">The item that the operation is about, or null.</param>
    public bool IsUnlocked(CriticalOperation operation, string? nativeName, DateTimeOffset now) =>
        Unlocks.Any(u => u.Operation == operation.Name && now < u.Until && (u.NativeName is null || u.NativeName == nativeName));

    /// <summary>The guard with the operation unlocked from now on; what is over is forgotten.</summary>
    /// <param name="nativeName">Only for this item; null: for all.</param>
    public VaultGuard Unlock(CriticalOperation operation, string? nativeName, DateTimeOffset now) => this with
    {
        Unlocks = [.. Unlocks.Where(u => now < u.Until && (u.Operation != operation.Name || u.NativeName != nativeName)), new(operation.Name, nativeName, now + UnlockedFor)],
    };
}

/// <summary>A deletion that somebody with the right over the guard has allowed for a while: a DELETE has no body that could name a request.</summary>
/// <param name="Operation">The name of the critical operation.</param>
/// <param name="NativeName">The only item that may be deleted; null: any.</param>
public sealed record GuardUnlock(string Operation, string? NativeName, DateTimeOffset Until);
