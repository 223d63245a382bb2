using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Machines;
using Strongroom.Backup.Pipelines.Restores;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Tests.Support;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Tests.Pipelines;

/// <summary>Disks restored into a group that has a host for them.</summary>
public sealed class PoolRestoreTests
{
    private static readonly string Group = ResourceId.ForGroup(Rig.Subscription, "target").ToString();

    [Fact]
    public async Task Disks_become_volumes_of_the_host_and_resources_of_the_group()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);

        var job = await rig.RestoreAsync(vault, machine, point, group: Group);

        Assert.Equal(JobStates.Completed, job.State);
        var disks = await DisksAsync(rig);
        Assert.Equal(2, disks.Count);
        foreach (var disk in disks)
        {
            var source = machine.Disks.Single(d => d.Disk.SizeBytes == (long)disk.Properties["diskSizeBytes"]!);
            var volume = HostVolume.Find(disk)!;
            Assert.Equal(new HostVolume(FakePool.HostId, "vms", $"web1-{source.Disk.Name}.{job.Id:N}-1", $"/vms/{source.Disk.Name}", "raw"), volume);
            Assert.Equal(source.Content, rig.Pool.Volumes[volume.Name]);
            Assert.Equal("Restore", (string)disk.Properties["creationData"]!["createOption"]!);
            Assert.Equal(source.Disk.IsOs ? "Linux" : null, (string?)disk.Properties["osType"]);
            Assert.Contains($"Disk '{source.Disk.Name}' is volume '{volume.Name}' of storage pool 'vms'.", job.Tasks[0].Details, StringComparison.Ordinal);
        }

        // What clients read of the job and of the storage account is there as ever, without the disks.
        var folder = Path.Combine(rig.StorageFolder, "restores1", job.Properties["Config Blob Container Name"]);
        Assert.Equal([$"azuredeploy{job.Id}.json", $"config-web1-{job.Id}.json"], Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.EndsWith($"/azuredeploy{job.Id}.json", job.Properties["Template Blob Uri"], StringComparison.Ordinal);
        Assert.EndsWith("/" + job.Properties["Config Blob Name"], job.Properties["Config Blob Uri"], StringComparison.Ordinal);
        Assert.Equal(("Recover disks", "restores1", "target"), (job.Properties["Job Type"], job.Properties["Target Storage Account Name"], job.Properties["Target resource group"]));
        var config = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(folder, job.Properties["Config Blob Name"]), Rig.Token))!["properties"]!["storageProfile"]!;
        var resource = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(folder, $"azuredeploy{job.Id}.json"), Rig.Token))!["resources"]!.AsArray();
        Assert.Equal("Microsoft.Compute/virtualMachines", (string)Assert.Single(resource)!["type"]!);
        var template = resource[0]!["properties"]!["storageProfile"]!;
        foreach (var storage in (JsonNode[])[config, template])
        {
            string[] ids = [(string)storage["osDisk"]!["managedDisk"]!["id"]!, (string)storage["dataDisks"]![0]!["managedDisk"]!["id"]!];
            Assert.Equal(disks.Select(disk => disk.Id.ToString()).Order(), ids.Order());
            Assert.Null(storage["osDisk"]!["vhd"]);
        }
    }

    [Fact]
    public async Task Without_a_group_or_a_host_of_it_the_disks_go_to_the_storage_account()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);
        await rig.AddGroupAsync("Other");

        var alone = await rig.RestoreAsync(vault, machine, point);
        var other = await rig.RestoreAsync(vault, machine, point, group: ResourceId.ForGroup(Rig.Subscription, "Other").ToString());

        foreach (var job in (Job[])[alone, other]) Assert.Equal(2, Directory.GetFiles(Path.Combine(rig.StorageFolder, "restores1", job.Properties["Config Blob Container Name"]), "*.vhd").Length);
        Assert.Equal(0, rig.Pool.Begun);
        Assert.All(await DisksAsync(rig), disk => Assert.Null(HostVolume.Find(disk)));
    }

    [Theory]
    [InlineData((int)LedgerFault.Throws)]
    [InlineData((int)LedgerFault.Lost)]
    [InlineData((int)LedgerFault.ThrowsAfterwards)]
    public async Task A_run_that_is_cut_off_anywhere_is_whole_after_the_next_one_or_leaves_nothing(int how)
    {
        var whole = 0;
        for (var failsFrom = 1; failsFrom <= 4; failsFrom++)
        {
            await using var rig = await Rig.NewAsync();
            var (vault, machine, point) = await BackedUpAsync(rig);
            var real = rig.Ledger;
            var operation = await rig.Admission.RestoreAsync(vault, Rig.NativeName(machine), point.Name, Request(point), Rig.Token);
            var faulty = new FaultyLedger(real, (LedgerFault)how, failsFrom);
            rig.Ledger = faulty;
            await using (await rig.StartWorkerAsync())
                await Rig.UntilAsync(async () => faulty.HasFailed || !(await real.FindAsync(vault.Key, operation.Id, Rig.Token))!.IsLive);
            faulty.IsHealed = true;
            rig.Ledger = real;
            var firstRun = (await DisksAsync(rig)).Count;

            var job = await rig.RunAsync(vault, operation);

            var disks = await DisksAsync(rig);
            // What is not a resource is not in the pool, and the other way about.
            Assert.Equal(rig.Pool.Volumes.Keys.Order(StringComparer.Ordinal), disks.Select(disk => HostVolume.Find(disk)!.Name).Order(StringComparer.Ordinal));
            Assert.Equal(job.State == JobStates.Failed ? 0 : 2, disks.Count);
            if (job.State == JobStates.Failed) continue;
            whole++;
            // A run that had stored its resources is ended, and no other begun.
            if (firstRun > 0) Assert.Equal(1, rig.Pool.Begun);
            Assert.All(disks, disk => Assert.Contains(HostVolume.Find(disk)!.Name, job.Tasks[0].Details, StringComparison.Ordinal));
            Assert.Equal(2, Directory.GetFiles(Path.Combine(rig.StorageFolder, "restores1", job.Properties["Config Blob Container Name"])).Length);
            Assert.Single(Directory.GetFileSystemEntries(Path.Combine(rig.StorageFolder, "restores1")));
        }

        Assert.NotEqual(0, whole);
    }

    [Fact]
    public async Task A_restore_that_is_cancelled_leaves_nothing()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);
        rig.Pool.OnDisk = token => Task.Delay(Timeout.Infinite, token);
        var operation = await rig.Admission.RestoreAsync(vault, Rig.NativeName(machine), point.Name, Request(point), Rig.Token);
        await using var worker = await rig.StartWorkerAsync();
        await Rig.UntilAsync(() => Task.FromResult(rig.Pool.Volumes.Count == 1));

        await rig.Admission.CancelAsync(vault, operation.Id, Rig.Token);
        var job = await rig.EndOfAsync(vault, operation.Id);

        Assert.Equal(JobStates.Cancelled, job.State);
        Assert.Empty(rig.Pool.Volumes);
        Assert.Empty(await DisksAsync(rig));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(rig.StorageFolder, "restores1")));
    }

    [Fact]
    public async Task A_resource_of_the_name_is_not_replaced()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);
        var operation = await rig.Admission.RestoreAsync(vault, Rig.NativeName(machine), point.Name, Request(point), Rig.Token);
        var name = $"{new RestoreNames(point.Machine.Name, operation.Id, point.Time).DiskStem(point.Disks[^1])}-{operation.Id.ToString("N")[..8]}";
        var other = new TrackedResource
        {
            Id = ResourceId.ForResource(Rig.Subscription, "Target", "Microsoft.Compute", "disks", name),
            Location = "home",
            Properties = new() { ["uniqueId"] = "another" },
            ETag = "mine",
            CreatedAt = rig.Time.GetUtcNow(),
            ChangedAt = rig.Time.GetUtcNow(),
        };
        await rig.Resources.PutAsync(other, null, Rig.Token);

        var job = await rig.RunAsync(vault, operation);

        Assert.Equal((JobStates.Failed, 400003), (job.State, Assert.Single(job.Errors).Code));
        Assert.Contains("Resource group 'Target' has a disk of the name", job.Errors[0].Message, StringComparison.Ordinal);
        Assert.Equal("mine", Assert.Single(await DisksAsync(rig)).ETag);
        Assert.Empty(rig.Pool.Volumes);
    }

    private static RestoreRequest Request(RecoveryPoint point) => new(point.Name, Rig.AccountId, null, Group, "https://host:1");

    private static Task<IReadOnlyList<TrackedResource>> DisksAsync(Rig rig) => rig.Resources.ListAsync(Rig.Subscription, null, HostVolume.ResourceType, Rig.Token);

    private static async Task<(Vault Vault, FakeMachine Machine, RecoveryPoint Point)> BackedUpAsync(Rig rig)
    {
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1), FakeDisk.New(0, "data", 2, (1 << 20) + 4096));
        await rig.AddStorageAccountAsync();
        await rig.AddGroupAsync("Target");
        rig.Pool.Group = "Target";
        Assert.Equal(JobStates.Completed, (await rig.BackUpAsync(vault, machine)).State);
        return (vault, machine, (await rig.PointsAsync(vault, machine))[0]);
    }
}
