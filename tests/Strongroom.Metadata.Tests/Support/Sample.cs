using System.Globalization;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Machines;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;

namespace Strongroom.Metadata.Tests.Support;

/// <summary>Records to store.</summary>
internal static class Sample
{
    public const string Subscription = "11111111-2222-3333-4444-555555555555";

    public static readonly DateTimeOffset Now = new(2026, 11, 22, 10, 0, 0, TimeSpan.Zero);

    public static Vault Vault(string name = "vault1", string group = "Lab") => new()
    {
        Key = Guid.NewGuid(),
        SubscriptionId = Subscription,
        ResourceGroup = group,
        Name = name,
        Location = "home",
        SkuName = "RS0",
        CreatedAt = Now,
        ChangedAt = Now,
    };

    public static ProtectedItem Item(Vault vault, string machine = "web1") => new()
    {
        Key = Guid.NewGuid(),
        VaultKey = vault.Key,
        NativeName = ItemNames.NativeName("lab", machine),
        FriendlyName = machine,
        SourceResourceId = $"/subscriptions/{Subscription}/resourceGroups/Lab/providers/Microsoft.Compute/virtualMachines/{machine}",
        PolicyName = "DefaultPolicy",
        ProtectionState = ProtectionStates.InitialPending,
        DataId = "1234567890",
        CreatedAt = Now,
    };

    public static Job Job(ProtectedItem item, string operation = JobOperations.Backup, int minutes = 0) => JobFactory.New(item, operation, Now.AddMinutes(minutes));

    public static Job Ended(this Job job, string state = JobStates.Completed) => job with { State = state, EndedAt = Now };

    public static PointInTransfer InTransfer(long fence)
    {
        var point = Point(Item(Vault()), 9);
        return new(fence, point.Name, point.Time, point.Consistency, point.Machine, [-1], null, point.Time);
    }

    public static RecoveryPoint Point(ProtectedItem item, int number) => new()
    {
        ItemKey = item.Key,
        Name = (639_000_000_000_000_000 + number).ToString(CultureInfo.InvariantCulture),
        Time = Now.AddMinutes(number),
        SnapshotId = Guid.NewGuid(),
        Consistency = "CrashConsistent",
        Machine = new VirtualMachine
        {
            SubscriptionId = Subscription,
            ResourceGroup = "Lab",
            Name = item.FriendlyName,
            Location = "home",
            VmId = Guid.NewGuid(),
            HostId = "host",
            Disks = [new(-1, "os", 1 << 20, "raw")],
        },
        Disks = [new(-1, "os", 1 << 20, "img")],
    };
}
