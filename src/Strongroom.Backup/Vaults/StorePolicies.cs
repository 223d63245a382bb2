using Strongroom.Store;

namespace Strongroom.Backup.Vaults;

/// <summary>What a vault's settings mean for the policy of its store, which holds against whoever goes round the server.</summary>
/// <remarks>
/// An operator may have set a stricter policy with <c>strongroom store</c>: the server takes back what its own settings asked for, and nothing else.
/// </remarks>
public static class StorePolicies
{
    /// <summary>The policy that the settings ask for.</summary>
    public static VaultPolicy Of(VaultConfig config) => new()
    {
        Immutability = config.Immutability switch
        {
            ImmutabilityStates.Locked => Immutability.Locked,
            ImmutabilityStates.Unlocked => Immutability.Unlocked,
            _ => Immutability.Off,
        },
        MinimumRetentionDays = config.IsImmutable ? config.ImmutabilityDays : 0,
        IsSoftDeleteAlwaysOn = config.IsSoftDeleteAlwaysOn,
        // Otherwise soft delete is the server's alone: it keeps the snapshots until the days are over, and a second wait would only keep the room taken.
        SoftDeleteDays = config.IsSoftDeleteAlwaysOn ? config.SoftDeleteRetentionDays : 0,
    };

    /// <summary>The store's next policy.</summary>
    /// <param name="current">What it has.</param>
    /// <param name="before">The settings that were passed on before; null where that is not known: then nothing becomes weaker.</param>
    /// <param name="after">The settings now.</param>
    public static VaultPolicy Next(VaultPolicy current, VaultConfig? before, VaultConfig after)
    {
        var (had, wants) = (before is null ? new VaultPolicy() : Of(before), Of(after));
        return new()
        {
            Immutability = (Immutability)Move((int)current.Immutability, (int)had.Immutability, (int)wants.Immutability),
            MinimumRetentionDays = Move(current.MinimumRetentionDays, had.MinimumRetentionDays, wants.MinimumRetentionDays),
            IsSoftDeleteAlwaysOn = current.IsSoftDeleteAlwaysOn || wants.IsSoftDeleteAlwaysOn,
            SoftDeleteDays = Move(current.SoftDeleteDays, had.SoftDeleteDays, wants.SoftDeleteDays),
        };
    }

    /// <summary>The settings of a vault that is made again from its store, which knows what can never be taken back better than an older commit does.</summary>
    public static VaultConfig Learn(VaultConfig config, VaultPolicy policy)
    {
        if (policy.IsSoftDeleteAlwaysOn)
            config = config with { SoftDeleteFeatureState = VaultSecurity.AlwaysOn, SoftDeleteRetentionDays = Math.Clamp(policy.SoftDeleteDays, 14, 180) };
        return policy.Immutability == Immutability.Locked
            ? config with { Immutability = ImmutabilityStates.Locked, ImmutabilityDays = policy.MinimumRetentionDays }
            : config;
    }

    private static int Move(int current, int had, int wants) => wants < had && current == had ? wants : Math.Max(current, wants);
}
