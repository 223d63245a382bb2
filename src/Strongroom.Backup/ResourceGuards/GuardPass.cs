using System.Collections.Frozen;
using Strongroom.Arm;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.ResourceGuards;

/// <summary>What a request brings with it to pass the resource guard of its vault. Made for one request, for the guard that the vault had then.</summary>
public sealed class GuardPass
{
    /// <summary>Brings nothing: passes no guard.</summary>
    public static GuardPass None { get; } = new();

    /// <summary>Ids of the guard's requests that the body names (<c>resourceGuardOperationRequests</c>), as they were sent.</summary>
    public IReadOnlyCollection<string> Requests { get; init; } = [];

    /// <summary>The guard whose exclusions are <see cref="Exclusions"/>; null: none could be read, and everything is protected.</summary>
    public string? ResourceGuardId { get; init; }

    /// <summary>Names of the operations that the guard leaves unprotected.</summary>
    public IReadOnlySet<string> Exclusions { get; init; } = FrozenSet<string>.Empty;

    /// <summary>Throws where the caller has no right over the guard's request with this id.</summary>
    public Action<CriticalOperation, string> RequireRight { get; init; } = static (operation, _) => throw Refused(operation);

    /// <summary>UTC. Without it no unlocked deletion is still unlocked.</summary>
    public DateTimeOffset Now { get; init; } = DateTimeOffset.MaxValue;

    /// <summary>Refuses a critical operation on a vault whose guard protects it, unless it was unlocked or the request names the guard's and its caller has the right.</summary>
    /// <param name="vault">As it is when the operation is done.</param>
    /// <param name="nativeName">The item that it is about, or null.</param>
    /// <exception cref="BackupRefusedException">No request of the guard is named.</exception>
    /// <exception cref="ArmException">403: the caller has no right over the guard.</exception>
    public void Require(Vault vault, CriticalOperation operation, string? nativeName = null)
    {
        if (vault.Guard is not { } guard || !IsProtected(guard, operation) || guard.IsUnlocked(operation, nativeName, Now)) return;
        var request = guard.RequestOf(operation);
        if (!Requests.Any(named => IsSame(named, request))) throw Refused(operation);
        RequireRight(operation, request);
    }

    private bool IsProtected(VaultGuard guard, CriticalOperation operation) =>
        operation.IsMandatory || !guard.ResourceGuardId.Equals(ResourceGuardId, StringComparison.OrdinalIgnoreCase) || !Exclusions.Contains(operation.Name);

    /// <summary>Whether two texts are one id; clients send them with <c>resourcegroups</c> in any case.</summary>
    public static bool IsSame(string left, string right) => ResourceId.TryParse(left, out var one) && ResourceId.TryParse(right, out var other) && one == other;

    private static BackupRefusedException Refused(CriticalOperation operation) => new(BackupRefusal.GuardRequestMissing,
        $"ResourceGuard Operation requestid is either null or empty. A resource guard protects '{operation.Name}' of this vault: "
        + (operation == CriticalOperation.DeleteItem || operation == CriticalOperation.RemoveGuard
            ? "unlock the deletion first (unlockDelete), with a right over the guard."
            : "name the guard's request in resourceGuardOperationRequests, with a right over the guard."),
        "resourceGuardOperationRequests");
}
