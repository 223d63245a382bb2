using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Strongroom.Backup.Policies.Reading;
using Strongroom.Backup.ResourceGuards;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Policies;

/// <summary>Policies are put and deleted.</summary>
public sealed partial class PolicyAdministration(IPolicyRepository policies, TimeProvider time)
{
    /// <summary>Every schedule has something due within this time.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(8);

    /// <summary>The same with nothing that would pass a resource guard.</summary>
    public Task<PolicyInUse> PutAsync(Vault vault, string name, JsonObject properties, CancellationToken cancellationToken) => PutAsync(vault, name, properties, GuardPass.None, cancellationToken);

    /// <summary>Makes the policy, or changes it; a change applies to the items that use it, and to the recovery points that they have.</summary>
    /// <param name="properties">In Azure's words and spelling. Kept.</param>
    /// <param name="pass">For a change that keeps less, in a vault under a resource guard.</param>
    /// <returns>The policy as it is kept, with what the request left to the service.</returns>
    /// <exception cref="BackupRefusedException">Something in it is wrong, it would become another kind of policy while items use it, it would keep recovery points of an immutable vault for a shorter time, or a resource guard protects it.</exception>
    public async Task<PolicyInUse> PutAsync(Vault vault, string name, JsonObject properties, GuardPass pass, CancellationToken cancellationToken)
    {
        if (!Name().IsMatch(name))
            throw PolicyRefusals.Parameter("policyName", "A policy's name has 3 to 150 letters, digits and the signs - _ !, and begins with a letter.");
        PolicyReader.Complete(properties);
        for (var tries = 0; tries < 5; tries++)
        {
            var existing = await policies.FindInUseAsync(vault.Key, name, cancellationToken);
            var policy = new BackupPolicy(vault.Key, existing?.Policy.Name ?? name, properties, time.GetUtcNow());
            PolicyReader.Check(policy);
            if (existing is not null)
            {
                RequireAllowed(vault, existing, policy, pass);
                if (HaveSameSchedule(existing.Policy, policy)) policy = policy with { ScheduledSince = existing.Policy.ScheduledSince ?? existing.Policy.ChangedAt };
            }

            // What was allowed was allowed beside this one policy: where another has taken its place, it is judged again.
            if (await policies.TryPutAsync(policy, existing, cancellationToken)) return new(policy, existing?.ProtectedItems ?? 0);
        }

        throw new BackupRefusedException(BackupRefusal.Conflict, $"Policy '{name}' is being changed by others. Try again.", name);
    }

    private static void RequireAllowed(Vault vault, PolicyInUse existing, BackupPolicy policy, GuardPass pass)
    {
        if (existing.ProtectedItems > 0 && KindOf(existing.Policy) != KindOf(policy))
            throw InUse(existing.Policy.Name, "it cannot become another kind of policy");
        VaultImmutability.RequireNoShorter(vault, existing.Policy, policy);
        pass.RequirePolicy(vault, existing.Policy, policy, CriticalOperation.UpdatePolicy);
    }

    /// <returns>False: there was none.</returns>
    /// <exception cref="BackupRefusedException">Items use it.</exception>
    public async Task<bool> DeleteAsync(Vault vault, string name, CancellationToken cancellationToken) =>
        await policies.DeleteAsync(vault.Key, name, cancellationToken) switch
        {
            PolicyDeletion.Deleted => true,
            PolicyDeletion.Absent => false,
            _ => throw InUse(name, "it cannot be deleted"),
        };

    /// <summary>Whether the same was due lately by both: then a backup that is due and has not begun does not get lost by the change.</summary>
    private static bool HaveSameSchedule(BackupPolicy before, BackupPolicy after)
    {
        if (ItemTerms.TryRead(before) is not { } old || ItemTerms.TryRead(after) is not { } next) return false;
        var now = after.ChangedAt;
        return old.Schedule.Between(now - Longest, now, old.TimeZone).SequenceEqual(next.Schedule.Between(now - Longest, now, next.TimeZone));
    }

    private static string KindOf(BackupPolicy policy) =>
        $"{policy.BackupManagementType} {policy.Properties["workLoadType"]} {(policy.IsEnhanced ? "V2" : "V1")}";

    private static BackupRefusedException InUse(string name, string what) =>
        new(BackupRefusal.PolicyInUse, $"Protected items use policy '{name}': {what}. Give them another policy or stop their protection first.", name);

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9_!-]{2,149}$")]
    private static partial Regex Name();
}
