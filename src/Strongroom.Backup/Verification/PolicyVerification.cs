using Strongroom.Backup.Items;
using Strongroom.Backup.Policies;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Verification;

/// <summary>Puts and removes the option of policies that recovery points are verified.</summary>
public sealed class PolicyVerification(IPolicyRepository policies)
{
    /// <returns>Whether the policy had none before.</returns>
    /// <exception cref="BackupRefusedException">A member is wrong, or the policy is not there or not for machines.</exception>
    public async Task<bool> PutAsync(Vault vault, string policyName, RestoreVerification option, CancellationToken cancellationToken)
    {
        option.Validate();
        var policy = await policies.FindAsync(vault.Key, policyName, cancellationToken);
        if (policy is { Kind: not ItemKind.VirtualMachine }) throw new BackupRefusedException(BackupRefusal.NotSupported, $"Policy '{policyName}' is not for virtual machines: nothing of its items can be booted.");
        if (policy is null || !await policies.TrySetVerificationAsync(vault.Key, policyName, option, cancellationToken))
            throw new BackupRefusedException(BackupRefusal.PolicyNotFound, $"Policy '{policyName}' does not exist in vault '{vault.Name}'.");
        return policy.Verification is null;
    }

    /// <returns>False: the policy is not there, or had none.</returns>
    public async Task<bool> DeleteAsync(Vault vault, string policyName, CancellationToken cancellationToken) =>
        await policies.FindAsync(vault.Key, policyName, cancellationToken) is { Verification: not null }
        && await policies.TrySetVerificationAsync(vault.Key, policyName, null, cancellationToken);
}
