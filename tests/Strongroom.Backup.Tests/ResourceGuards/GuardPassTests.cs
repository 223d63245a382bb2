using Strongroom.Arm;
using Strongroom.Backup.ResourceGuards;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Tests.ResourceGuards;

/// <summary>What passes a resource guard, and which changes have to.</summary>
public sealed class GuardPassTests
{
    private const string Guard = "/subscriptions/s/resourceGroups/safe/providers/Microsoft.DataProtection/resourceGuards/guard1";

    private static readonly DateTimeOffset s_now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public static TheoryData<string> Operations => [.. CriticalOperation.All.Select(o => o.Name)];

    [Theory]
    [MemberData(nameof(Operations))]
    public void An_operation_needs_the_guards_own_request_and_the_right_to_it(string name)
    {
        var operation = CriticalOperation.All.Single(o => o.Name == name);
        var request = $"{Guard}/{operation.RequestType}/default";
        Pass().Require(NewVault() with { Guard = null }, operation);

        Refused(Pass(), operation);
        Refused(Pass(request + "x"), operation);
        Refused(Pass(request.Replace("guard1", "guard2", StringComparison.Ordinal)), operation);
        foreach (var other in CriticalOperation.All.Where(o => o != operation)) Refused(Pass($"{Guard}/{other.RequestType}/default"), operation);
        Refused(Pass("", "nonsense", "/"), operation);

        var asked = new List<(CriticalOperation, string)>();
        var pass = new GuardPass { Requests = ["nonsense", request.ToUpperInvariant()], RequireRight = (o, r) => asked.Add((o, r)), Now = s_now };
        pass.Require(NewVault(), operation);
        Assert.Equal([(operation, request)], asked);

        var withoutRight = new GuardPass { Requests = [request], RequireRight = (_, _) => throw ArmErrors.Custom(403, "LinkedAuthorizationFailed", "no"), Now = s_now };
        Assert.Equal(403, Assert.Throws<ArmException>(() => withoutRight.Require(NewVault(), operation)).Status);
        Assert.Throws<BackupRefusedException>(() => GuardPass.None.Require(NewVault(), operation));
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public void What_the_guard_excludes_passes_unless_it_is_mandatory(string name)
    {
        var operation = CriticalOperation.All.Single(o => o.Name == name);
        var pass = new GuardPass { ResourceGuardId = Guard, Exclusions = new HashSet<string> { name }, Now = s_now };
        if (operation.IsMandatory) Refused(pass, operation);
        else pass.Require(NewVault(), operation);

        // The exclusions of a guard that the vault is under no more count for nothing.
        Refused(new() { ResourceGuardId = Guard + "2", Exclusions = new HashSet<string> { name }, Now = s_now }, operation);
        Refused(new() { Exclusions = new HashSet<string> { name }, Now = s_now }, operation);
    }

    [Fact]
    public void Only_what_cannot_be_undone_by_the_guards_owner_is_mandatory() =>
        Assert.Equal([CriticalOperation.RemoveGuard, CriticalOperation.DisableSoftDelete], CriticalOperation.All.Where(o => o.IsMandatory));

    [Fact]
    public void An_unlocked_deletion_is_open_for_its_item_its_operation_and_its_time()
    {
        var guard = new VaultGuard(Guard, s_now).Unlock(CriticalOperation.DeleteItem, "web1", s_now);
        Assert.True(guard.IsUnlocked(CriticalOperation.DeleteItem, "web1", s_now));
        Assert.True(guard.IsUnlocked(CriticalOperation.DeleteItem, "web1", s_now + VaultGuard.UnlockedFor - TimeSpan.FromTicks(1)));
        Assert.False(guard.IsUnlocked(CriticalOperation.DeleteItem, "web1", s_now + VaultGuard.UnlockedFor));
        Assert.False(guard.IsUnlocked(CriticalOperation.DeleteItem, "web2", s_now));
        Assert.False(guard.IsUnlocked(CriticalOperation.RemoveGuard, "web1", s_now));
        Pass().Require(NewVault() with { Guard = guard }, CriticalOperation.DeleteItem, "web1");

        var all = guard.Unlock(CriticalOperation.DeleteItem, null, s_now + TimeSpan.FromMinutes(1));
        Assert.Equal(2, all.Unlocks.Length);
        Assert.True(all.IsUnlocked(CriticalOperation.DeleteItem, "web2", s_now + TimeSpan.FromMinutes(5)));

        // What is over is forgotten, and the same again lasts from now on.
        var later = all.Unlock(CriticalOperation.DeleteItem, "web1", s_now + VaultGuard.UnlockedFor);
        Assert.Equal([null, "web1"], later.Unlocks.Select(u => u.NativeName));
        Assert.Equal(s_now + VaultGuard.UnlockedFor * 2, later.Unlocks[^1].Until);
        Assert.Throws<BackupRefusedException>(() => GuardPass.None.Require(NewVault() with { Guard = guard }, CriticalOperation.DeleteItem, "web1"));
    }

    public static TheoryData<VaultConfig, VaultConfig, string?> Settings => new()
    {
        { new(), new(), null },
        { new(), new() { SoftDeleteFeatureState = "Disabled" }, "disableSoftDeleteRequests" },
        { new(), new() { EnhancedSecurityState = "Disabled" }, "disableSoftDeleteRequests" },
        { new() { SoftDeleteFeatureState = "Disabled", EnhancedSecurityState = "Disabled" }, new(), null },
        { new() { SoftDeleteFeatureState = "Disabled" }, new() { SoftDeleteFeatureState = "Disabled", SoftDeleteRetentionDays = 30 }, null },
        { new(), new() { SoftDeleteFeatureState = "AlwaysON" }, null },
        { new(), new() { Immutability = "Unlocked", ImmutabilityDays = 9 }, null },
        { new() { Immutability = "Unlocked" }, new() { Immutability = "Locked" }, null },
        { new() { Immutability = "Unlocked" }, new(), "reduceImmutabilityStateRequests" },
        { new() { Immutability = "Unlocked", ImmutabilityDays = 9 }, new() { Immutability = "Unlocked", ImmutabilityDays = 8 }, "modifyImmutabilityDurationRequests" },
        { new() { Immutability = "Unlocked", ImmutabilityDays = 9 }, new() { Immutability = "Unlocked", ImmutabilityDays = 10 }, null },
        { new() { ImmutabilityDays = 9 }, new(), null },
    };

    [Theory]
    [MemberData(nameof(Settings))]
    public void Settings_that_protect_less_are_critical(VaultConfig before, VaultConfig after, string? request)
    {
        var vault = NewVault() with { Config = before };
        Pass(CriticalOperation.All.Select(o => $"{Guard}/{o.RequestType}/default").ToArray()).RequireSettings(vault, after);
        Pass().RequireSettings(vault with { Guard = null }, after);
        if (request is null) Pass().RequireSettings(vault, after);
        else
        {
            Assert.Throws<BackupRefusedException>(() => Pass([.. CriticalOperation.All.Where(o => o.RequestType != request).Select(o => $"{Guard}/{o.RequestType}/default")]).RequireSettings(vault, after));
            Pass($"{Guard}/{request}/default").RequireSettings(vault, after);
        }
    }

    private static void Refused(GuardPass pass, CriticalOperation operation)
    {
        var refused = Assert.Throws<BackupRefusedException>(() => pass.Require(NewVault(), operation));
        Assert.Equal(BackupRefusal.GuardRequestMissing, refused.Refusal);
        Assert.Contains("ResourceGuard Operation requestid is either null or empty", refused.Message, StringComparison.Ordinal);
    }

    private static GuardPass Pass(params string[] requests) => new() { Requests = requests, RequireRight = (_, _) => { }, Now = s_now };

    private static Vault NewVault() => new()
    {
        Key = Guid.NewGuid(),
        SubscriptionId = "s",
        ResourceGroup = "lab",
        Name = "v1",
        Location = "home",
        SkuName = "RS0",
        CreatedAt = s_now,
        ChangedAt = s_now,
        Guard = new(Guard, s_now),
    };
}
