using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Tests.Vaults;

public sealed class VaultSecurityTests
{
    private static readonly string[] Immutabilities = ["Disabled", "Unlocked", "Locked"];
    private static readonly string[] SoftDeletes = ["Enabled", "Disabled", "AlwaysON"];

    [Fact]
    public void Immutability_goes_only_the_ways_that_there_are()
    {
        string[] allowed =
        [
            "Disabled>Disabled", "Disabled>Unlocked", "Unlocked>Disabled", "Unlocked>Unlocked", "Unlocked>Locked", "Locked>Locked",
        ];
        foreach (var (from, to) in Immutabilities.SelectMany(f => Immutabilities.Select(t => (f, t))))
        {
            var config = new VaultConfig { Immutability = from };
            if (allowed.Contains($"{from}>{to}")) Assert.Equal(to, Change(config, immutability: to.ToUpperInvariant()).Immutability);
            else Assert.Equal(($"{from}>{to}", BackupRefusal.ImmutabilityStateChange), ($"{from}>{to}", Refusal(() => Change(config, immutability: to))));
        }

        Assert.Equal(BackupRefusal.ImmutabilityStateChange, Refusal(() => VaultSecurity.Change(new(), new(null, null, null, "Locked"), isNew: true)));
        Assert.Equal("Unlocked", VaultSecurity.Change(new(), new(null, null, null, "Unlocked"), isNew: true).Immutability);
    }

    [Fact]
    public void Soft_delete_that_is_always_on_or_of_an_immutable_vault_is_never_switched_off()
    {
        foreach (var (from, to, immutability) in SoftDeletes.SelectMany(f => SoftDeletes.SelectMany(t => Immutabilities.Select(i => (f, t, i)))))
        {
            var config = new VaultConfig { SoftDeleteFeatureState = from, Immutability = immutability };
            var isRefused = (from == "AlwaysON" && to != "AlwaysON") || (immutability != "Disabled" && from != "Disabled" && to == "Disabled");
            if (isRefused) Assert.Equal((from, to, immutability, BackupRefusal.SoftDeleteAlwaysOn), (from, to, immutability, Refusal(() => Change(config, softDelete: to))));
            else Assert.Equal(to, Change(config, softDelete: to).SoftDeleteFeatureState);
        }

        Assert.Equal(BackupRefusal.SoftDeleteAlwaysOn, Refusal(() => VaultSecurity.Change(new() { EnhancedSecurityState = "AlwaysON" }, new(null, null, "Enabled"), false)));
        // Both at once: what counts is what the vault would be.
        Assert.Equal("Disabled", VaultSecurity.Change(new() { Immutability = "Unlocked" }, new("Disabled", null, null, "Disabled"), false).SoftDeleteFeatureState);
    }

    [Theory]
    [InlineData("Enabled", "Disabled", false)]
    [InlineData("Enabled", "Unlocked", false)]
    [InlineData("Enabled", "Locked", true)]
    [InlineData("AlwaysON", "Disabled", true)]
    public void The_days_of_soft_delete_become_fewer_only_where_nothing_forbids_it(string softDelete, string immutability, bool isHeld)
    {
        var config = new VaultConfig { SoftDeleteFeatureState = softDelete, Immutability = immutability, SoftDeleteRetentionDays = 30 };
        Assert.Equal(180, VaultSecurity.Change(config, new(null, 180, null), false).SoftDeleteRetentionDays);
        if (isHeld) Assert.Equal(BackupRefusal.SoftDeleteAlwaysOn, Refusal(() => VaultSecurity.Change(config, new(null, 29, null), false)));
        else Assert.Equal(14, VaultSecurity.Change(config, new(null, 14, null), false).SoftDeleteRetentionDays);
    }

    [Fact]
    public void What_does_not_exist_is_invalid()
    {
        foreach (var change in new SecurityChange[] { new("On", null, null), new(null, 13, null), new(null, 181, null), new(null, null, "x"), new(null, null, null, "Sealed"), new(null, null, null, null, -1), new(null, null, null, null, 36_501) })
            Assert.Equal((change, BackupRefusal.InvalidInput), (change, Refusal(() => VaultSecurity.Change(new(), change, false))));
        Assert.Equal(new(), VaultSecurity.Change(new(), new(null, null, null), false));
    }

    [Fact]
    public void The_days_of_a_locked_vault_become_more_and_never_fewer()
    {
        var locked = new VaultConfig { Immutability = "Locked", ImmutabilityDays = 100 };
        Assert.Equal(200, VaultSecurity.Change(locked, new(null, null, null, null, 200), false).ImmutabilityDays);
        Assert.Equal(BackupRefusal.ImmutabilityStateChange, Refusal(() => VaultSecurity.Change(locked, new(null, null, null, null, 0), false)));
        Assert.Equal(0, VaultSecurity.Change(locked with { Immutability = "Unlocked" }, new(null, null, null, null, 0), false).ImmutabilityDays);
    }

    [Fact]
    public void Whoever_sets_the_redundancy_through_the_vault_is_held_to_that_door()
    {
        var config = VaultRedundancy.ChangeByStorageConfig(new(), "zoneRedundant", null);
        Assert.Equal(("ZoneRedundant", false), (config.StorageModelType, config.IsRedundancySetByVault));
        // What is sent back as it was read chooses no door.
        Assert.False(VaultRedundancy.ChangeByVault(config, "ZoneRedundant", false, isNew: false).IsRedundancySetByVault);
        Assert.True(VaultRedundancy.ChangeByVault(new(), "GeoRedundant", null, isNew: true).IsRedundancySetByVault);
        config = VaultRedundancy.ChangeByVault(config, "GeoRedundant", null, isNew: false);
        Assert.Equal(BackupRefusal.RedundancySetByVault, Refusal(() => VaultRedundancy.ChangeByStorageConfig(config, "LocallyRedundant", null)));
        Assert.Equal(config, VaultRedundancy.ChangeByStorageConfig(config, "GeoRedundant", false));
        Assert.Equal("LocallyRedundant", VaultRedundancy.ChangeByVault(config, "LocallyRedundant", null, isNew: false).StorageModelType);
    }

    [Fact]
    public void Redundancy_has_ways_that_do_not_exist()
    {
        var crossing = new VaultConfig { CrossRegionRestore = true };
        Assert.Equal(BackupRefusal.InvalidInput, Refusal(() => VaultRedundancy.ChangeByVault(crossing, null, false, false)));
        Assert.Equal(BackupRefusal.InvalidInput, Refusal(() => VaultRedundancy.ChangeByVault(crossing, "LocallyRedundant", null, false)));
        Assert.Equal(BackupRefusal.InvalidInput, Refusal(() => VaultRedundancy.ChangeByStorageConfig(new(), "LocallyRedundant", true)));
        Assert.Equal(BackupRefusal.InvalidInput, Refusal(() => VaultRedundancy.ChangeByStorageConfig(new(), "Nowhere", null)));
        Assert.Equal(BackupRefusal.RedundancyLocked, Refusal(() => VaultRedundancy.ChangeByStorageConfig(new() { IsStorageTypeLocked = true }, "ZoneRedundant", null)));
    }

    private static VaultConfig Change(VaultConfig config, string? softDelete = null, string? immutability = null) =>
        VaultSecurity.Change(config, new(softDelete, null, null, immutability), isNew: false);

    private static BackupRefusal Refusal(Action action) => Assert.Throws<BackupRefusedException>(action).Refusal;
}
