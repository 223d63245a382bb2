using Strongroom.Arm;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Machines;
using Strongroom.Backup.Pipelines;
using Strongroom.Backup.Pipelines.Restores;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Tests.Support;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Tests.Pipelines;

/// <summary>Restores that end on a host: a new machine, or the machine's own disks replaced.</summary>
public sealed class MachineRestoreTests
{
    private const string Network = $"/subscriptions/{Rig.Subscription}/resourceGroups/Lab/providers/Microsoft.Network/virtualNetworks/net1";

    [Fact]
    public async Task A_new_machine_has_the_disks_of_the_moment_and_an_id_of_its_own()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);
        var was = machine.Disks.ConvertAll(d => (byte[])d.Content.Clone());
        machine.Disks[0].Write(0, 1, 2, 3);
        await rig.AddGroupAsync("Other");

        var job = await rig.RestoreAsync(vault, machine, New(point, group: "other"));

        Assert.Equal(JobStates.Completed, job.State);
        Assert.Equal([(RestoreTasks.Transfer, JobStates.Completed), (RestoreTasks.Create, JobStates.Completed)], job.Tasks.Select(t => (t.Name, t.State)));
        Assert.Equal(("web2", "AlternateLocation", "other"), (job.Properties["Target VM Name"], job.InternalProperties["restoreLocationType"], job.Properties["Target resource group"]));
        Assert.True(long.Parse(job.InternalProperties["strongroom.bytesPerSecond"], System.Globalization.CultureInfo.InvariantCulture) > 0);
        var made = rig.Fabric.Machines.Single(m => m.Name == "web2");
        Assert.Equal(was, made.Disks.ConvertAll(d => d.Content));
        Assert.NotEqual(machine.VmId, rig.Restorer.Wanted!.VmId);
        // The group's own spelling, not the caller's.
        Assert.Equal("Other", rig.Restorer.Wanted.ResourceGroup);
    }

    [Fact]
    public async Task The_machines_own_disks_are_replaced_and_others_stay()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);
        var was = (byte[])machine.Disks[1].Content.Clone();
        machine.Disks[0].Write(0, 9, 9, 9);
        machine.Disks[1].Write(0, 9, 9, 9);

        var job = await rig.RestoreAsync(vault, machine, Own(point) with { Luns = [0] });

        Assert.Equal(JobStates.Completed, job.State);
        Assert.Equal((RestoreTasks.Update, "web1"), (job.Tasks[1].Name, job.Properties["Target VM Name"]));
        Assert.Equal(was, machine.Disks[1].Content);
        Assert.Equal([9, 9, 9], machine.Disks[0].Content[..3]);
    }

    [Theory]
    [InlineData(400136, "does not exist any more")]
    [InlineData(400141, "resource group 'none'")]
    [InlineData(400138, "net1")]
    [InlineData(400349, "name is taken")]
    public async Task What_is_not_there_or_in_the_way_fails_the_job_and_leaves_everything(int code, string message)
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);
        await rig.AddGroupAsync("Lab");
        var request = code switch
        {
            400136 => Own(point),
            400141 => New(point, group: "none"),
            400138 => New(point) with { VirtualNetworkId = Network },
            _ => New(point, name: "web1"),
        };
        if (code == 400136) rig.Fabric.Machines.Clear();

        var job = await rig.RestoreAsync(vault, machine, request);

        Assert.Equal(JobStates.Failed, job.State);
        var error = Assert.Single(job.Errors);
        Assert.Equal(code, error.Code);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal(0, rig.Restorer.Commits);
    }

    [Theory]
    [InlineData("net1", "default", true)]
    [InlineData("net1", "back", false)]
    public async Task A_network_that_is_named_must_have_the_subnet(string network, string subnet, bool restores)
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);
        await rig.AddGroupAsync("Lab");
        await rig.Resources.PutAsync(new TrackedResource
        {
            Id = ResourceId.Parse(Network),
            Location = "home",
            Properties = new() { ["subnets"] = new System.Text.Json.Nodes.JsonArray(new System.Text.Json.Nodes.JsonObject { ["name"] = "Default" }) },
            ETag = "e",
            CreatedAt = rig.Time.GetUtcNow(),
            ChangedAt = rig.Time.GetUtcNow(),
        }, null, Rig.Token);
        var id = Network.Replace("net1", network, StringComparison.Ordinal);

        var job = await rig.RestoreAsync(vault, machine, New(point) with { VirtualNetworkId = id, SubnetId = $"{id}/subnets/{subnet}" });

        Assert.Equal(restores ? JobStates.Completed : JobStates.Failed, job.State);
        if (restores) Assert.Equal($"{id}/subnets/{subnet}", rig.Restorer.Wanted!.SubnetId);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_run_that_is_cut_off_after_its_commit_is_not_done_twice(bool isNew)
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);
        await rig.AddGroupAsync("Lab");
        var operation = await rig.Admission.RestoreAsync(vault, Rig.NativeName(machine), point.Name, isNew ? New(point) : Own(point), Rig.Token);
        var claim = (await rig.Ledger.ClaimAsync("dies", TimeSpan.FromHours(-1), Rig.Token))!;
        rig.Restorer.AfterCommit = () => throw new IOException("the server ends here");
        await Assert.ThrowsAsync<IOException>(() => rig.RestoreHandler.RunAsync(new(rig.Ledger, claim, rig.Time), Rig.Token));
        rig.Restorer.AfterCommit = null;
        // What its owner did with the machine since must not be undone by the repeated job.
        var restored = rig.Fabric.Machines.Single(m => m.Name == (isNew ? "web2" : "web1"));
        restored.Disks[0].Write(0, 7, 7, 7);

        var job = await rig.RunAsync(vault, operation);

        Assert.Equal((JobStates.Completed, 1, 2), (job.State, rig.Restorer.Commits, rig.Restorer.Begun));
        Assert.Equal([7, 7, 7], restored.Disks[0].Content[..3]);
    }

    [Fact]
    public async Task A_run_that_lost_its_job_commits_nothing()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);
        await rig.AddGroupAsync("Lab");
        await rig.Admission.RestoreAsync(vault, Rig.NativeName(machine), point.Name, New(point), Rig.Token);
        var claim = (await rig.Ledger.ClaimAsync("slow", TimeSpan.FromHours(1), Rig.Token))!;

        await Assert.ThrowsAsync<ClaimLostException>(() => rig.RestoreHandler.RunAsync(new(new FaultyLedger(rig.Ledger, LedgerFault.Lost, failsFrom: 2), claim, rig.Time), Rig.Token));

        Assert.Equal((0, 1), (rig.Restorer.Commits, rig.Restorer.Abandoned));
        Assert.Single(rig.Fabric.Machines);
    }

    [Fact]
    public async Task A_restore_that_is_cancelled_leaves_the_machine_as_it_was()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);
        machine.Disks[0].Write(0, 9, 9, 9);
        rig.Restorer.OnDisk = token => Task.Delay(Timeout.Infinite, token);
        var operation = await rig.Admission.RestoreAsync(vault, Rig.NativeName(machine), point.Name, Own(point), Rig.Token);
        await using var worker = await rig.StartWorkerAsync();
        await Rig.UntilAsync(() => Task.FromResult(rig.Restorer.Begun == 1));

        await rig.Admission.CancelAsync(vault, operation.Id, Rig.Token);
        var job = await rig.EndOfAsync(vault, operation.Id);

        Assert.Equal((JobStates.Cancelled, 400158), (job.State, Assert.Single(job.Errors).Code));
        Assert.Equal([JobStates.Cancelled, "NotStarted"], job.Tasks.Select(t => t.State));
        Assert.Equal((0, 1), (rig.Restorer.Commits, rig.Restorer.Abandoned));
        Assert.Equal([9, 9, 9], machine.Disks[0].Content[..3]);
    }

    [Fact]
    public async Task What_does_not_go_together_is_refused_at_once()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);
        foreach (var request in new[]
        {
            New(point) with { Region = "elsewhere" },
            New(point) with { SourceResourceId = machine.Describe().ResourceId + "x" },
            New(point) with { Luns = [0] },
            Own(point) with { Luns = [5] },
        })
        {
            var refused = await Assert.ThrowsAsync<BackupRefusedException>(() => rig.Admission.RestoreAsync(vault, Rig.NativeName(machine), point.Name, request, Rig.Token));
            Assert.Equal(BackupRefusal.InvalidInput, refused.Refusal);
            Assert.StartsWith("properties.", refused.Subject, StringComparison.Ordinal);
        }

        Assert.Equal(JobStates.Completed, (await rig.RestoreAsync(vault, machine, Own(point) with { Region = "HOME", SourceResourceId = machine.Describe().ResourceId.ToUpperInvariant() })).State);
    }

    private static RestoreRequest New(RecoveryPoint point, string group = "lab", string name = "web2") => new(point.Name, Rig.AccountId, null, null, "https://host:1")
    {
        RecoveryType = RecoveryTypes.AlternateLocation,
        Target = new MachineId(Rig.Subscription, group, name),
    };

    private static RestoreRequest Own(RecoveryPoint point) => new(point.Name, Rig.AccountId, null, null, "https://host:1") { RecoveryType = RecoveryTypes.OriginalLocation };

    private static async Task<(Vault Vault, FakeMachine Machine, RecoveryPoint Point)> BackedUpAsync(Rig rig)
    {
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1), FakeDisk.New(0, "data", 2, (1 << 20) + 4096));
        await rig.AddStorageAccountAsync();
        Assert.Equal(JobStates.Completed, (await rig.BackUpAsync(vault, machine)).State);
        return (vault, machine, (await rig.PointsAsync(vault, machine))[0]);
    }
}
