using Strongroom.Backup.Items;
using Strongroom.Backup.Pipelines.Restores;
using Strongroom.Backup.Tests.Support;

namespace Strongroom.Backup.Tests.Jobs;

public sealed class JobAdmissionTests
{
    [Fact]
    public async Task A_second_job_of_an_item_is_refused_and_says_which_runs()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        await rig.BackUpAsync(vault, machine);
        var point = (await rig.PointsAsync(vault, machine))[0];
        var running = await rig.Admission.BackUpAsync(vault, Rig.NativeName(machine), null, Rig.Token);

        var refused = await RefusedAsync(BackupRefusal.BackupRunning, () => rig.Admission.BackUpAsync(vault, Rig.NativeName(machine), null, Rig.Token));

        Assert.Contains(running.JobId.ToString()!, refused.Message, StringComparison.Ordinal);
        await RefusedAsync(BackupRefusal.ItemBusy, () => rig.Admission.RestoreAsync(vault, Rig.NativeName(machine), point.Name, Request(point.Name), Rig.Token));
    }

    [Fact]
    public async Task A_backup_during_a_restore_is_refused()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        await rig.BackUpAsync(vault, machine);
        var point = (await rig.PointsAsync(vault, machine))[0];
        var operation = await rig.Admission.RestoreAsync(vault, Rig.NativeName(machine), point.Name, Request(point.Name), Rig.Token);

        // For restores the job and its operation have one id.
        Assert.Equal(operation.Id, operation.JobId);
        await RefusedAsync(BackupRefusal.ItemBusy, () => rig.Admission.BackUpAsync(vault, Rig.NativeName(machine), null, Rig.Token));
    }

    [Fact]
    public async Task What_cannot_be_backed_up_or_restored_is_refused()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1), FakeDisk.New(0, "data", 2));
        var name = Rig.NativeName(machine);
        await rig.BackUpAsync(vault, machine);
        var point = (await rig.PointsAsync(vault, machine))[0].Name;

        await RefusedAsync(BackupRefusal.ItemNotFound, () => rig.Admission.BackUpAsync(vault, "iaasvmcontainerv2;lab;no", null, Rig.Token));
        await RefusedAsync(BackupRefusal.InvalidInput, () => rig.Admission.BackUpAsync(vault, name, rig.Time.GetUtcNow(), Rig.Token));
        await RefusedAsync(BackupRefusal.ItemNotFound, () => rig.Admission.RestoreAsync(vault, "iaasvmcontainerv2;lab;no", point, Request(point), Rig.Token));
        await RefusedAsync(BackupRefusal.RecoveryPointNotFound, () => rig.Admission.RestoreAsync(vault, name, "123", Request("123"), Rig.Token));
        await RefusedAsync(BackupRefusal.InvalidInput, () => rig.Admission.RestoreAsync(vault, name, point, Request(point, 0, 7), Rig.Token));
        await RefusedAsync(BackupRefusal.InvalidInput, () => rig.Admission.RestoreAsync(vault, name, point, Request(point, -2), Rig.Token));

        foreach (var state in new[] { ProtectionStates.Stopped, ProtectionStates.Suspended })
        {
            await rig.Protection.PutAsync(vault, Rig.Request(machine, "", state), Rig.Token);
            await RefusedAsync(BackupRefusal.ProtectionStopped, () => rig.Admission.BackUpAsync(vault, name, null, Rig.Token));
        }

        await rig.Protection.DeleteAsync(vault, name, Rig.Token);
        await RefusedAsync(BackupRefusal.ItemSoftDeleted, () => rig.Admission.BackUpAsync(vault, name, null, Rig.Token));
        await RefusedAsync(BackupRefusal.ItemSoftDeleted, () => rig.Admission.RestoreAsync(vault, name, point, Request(point), Rig.Token));
        Assert.Null(await rig.Ledger.FindLiveAsync((await rig.Items.FindAsync(vault.Key, name, Rig.Token))!.Key, Rig.Token));
    }

    [Fact]
    public async Task Only_a_live_job_is_cancelled_and_never_a_deletion()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync(softDelete: false);
        var machine = rig.NewMachine("web1", FakeDisk.New(-1, "os", 1));
        await rig.ProtectAsync(vault, machine);
        var done = await rig.BackUpAsync(vault, machine);

        await RefusedAsync(BackupRefusal.JobNotFound, () => rig.Admission.CancelAsync(vault, Guid.NewGuid(), Rig.Token));
        await RefusedAsync(BackupRefusal.JobNotFound, () => rig.Admission.CancelAsync(vault with { Key = Guid.NewGuid() }, done.Id, Rig.Token));
        await RefusedAsync(BackupRefusal.JobNotCancellable, () => rig.Admission.CancelAsync(vault, done.Id, Rig.Token));
        var deletion = await rig.Protection.DeleteAsync(vault, Rig.NativeName(machine), Rig.Token);
        await RefusedAsync(BackupRefusal.JobNotCancellable, () => rig.Admission.CancelAsync(vault, deletion!.JobId!.Value, Rig.Token));
    }

    private static RestoreRequest Request(string point, params int[] luns) => new(point, Rig.AccountId, luns.Length == 0 ? null : [.. luns], null, "https://host:1");

    private static async Task<BackupRefusedException> RefusedAsync<T>(BackupRefusal refusal, Func<Task<T>> action)
    {
        var exception = await Assert.ThrowsAsync<BackupRefusedException>(action);
        Assert.Equal(refusal, exception.Refusal);
        return exception;
    }
}
