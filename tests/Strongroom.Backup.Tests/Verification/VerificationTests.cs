using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Lifecycle;
using Strongroom.Backup.Machines;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Tests.Support;
using Strongroom.Backup.Vaults;
using Strongroom.Backup.Verification;
using Strongroom.Testing;

namespace Strongroom.Backup.Tests.Verification;

public sealed class VerificationTests
{
    private readonly FakeVerifier _verifier = new();

    [Fact]
    public async Task Each_backup_is_followed_by_a_verification_whose_result_is_kept_with_the_point()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await MachineAsync(rig, new() { IsEnabled = true, TimeoutSeconds = 60, ConsolePattern = "login:" });
        await rig.BackUpAsync(vault, machine);

        var job = Assert.Single(await VerifyAsync(rig));

        Assert.Equal((JobOperations.VerifyRestore, JobStates.Completed, false), (job.Operation, job.State, job.IsUserTriggered));
        Assert.All(job.Tasks, t => Assert.Equal(JobStates.Completed, t.State));
        Assert.Equal(new VerificationTerms(TimeSpan.FromMinutes(1), "login:", null), _verifier.Terms);
        var (item, point) = await NewestAsync(rig, vault, machine);
        var result = await Results(rig).FindAsync(item.Key, point.Name, Rig.Token);
        Assert.Equal((VerificationStates.ProvenBootable, VerificationProofs.GuestAgent, 12.3, true), (result!.State, result.By, result.TookSeconds, result.HasScreenshot));
        Assert.Equal(FakeVerifier.Picture, await Results(rig).FindScreenshotAsync(item.Key, point.Name, Rig.Token));
        Assert.Empty(await VerifyAsync(rig));
        await rig.BackUpAsync(vault, machine);
        Assert.Single(await VerifyAsync(rig));
    }

    [Fact]
    public async Task Nothing_is_verified_that_no_policy_wants()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await MachineAsync(rig, new() { IsEnabled = false });
        await rig.BackUpAsync(vault, machine);
        Assert.Empty(await VerifyAsync(rig));
    }

    [Theory]
    [InlineData(VerificationFrequencies.Daily, 24)]
    [InlineData(VerificationFrequencies.Weekly, 168)]
    public async Task Backups_in_between_wait_for_their_day_or_week(string after, int hours)
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await MachineAsync(rig, new() { IsEnabled = true, After = after });
        await rig.BackUpAsync(vault, machine);
        Assert.Single(await VerifyAsync(rig));
        await rig.BackUpAsync(vault, machine);
        Assert.Empty(await VerifyAsync(rig));
        rig.Time.Advance(TimeSpan.FromHours(hours));
        // By itself: nothing is written of the item meanwhile, but for what its schedule does.
        Assert.Single(await VerifyAsync(rig));
    }

    [Fact]
    public async Task A_machine_that_does_not_boot_is_told_of_and_its_point_stays_as_it_is()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await MachineAsync(rig);
        _verifier.Answer = _ => Task.FromResult(new MachineVerification(null, TimeSpan.FromSeconds(60), "Neither the guest agent nor the console said anything.", new byte[] { 1, 2, 3 }));
        await rig.BackUpAsync(vault, machine);

        var job = Assert.Single(await VerifyAsync(rig));

        Assert.Equal((JobStates.Failed, "RestoreVerificationFailed"), (job.State, Assert.Single(job.Errors).Title));
        var (item, point) = await NewestAsync(rig, vault, machine);
        var result = await Results(rig).FindAsync(item.Key, point.Name, Rig.Token);
        Assert.Equal((VerificationStates.Failed, "Neither the guest agent nor the console said anything.", false), (result!.State, result.Message, result.HasScreenshot));
        Assert.Equal("Completed", item.LastBackupStatus);
        // It is not tried again and again.
        Assert.Empty(await VerifyAsync(rig));
        await rig.AddStorageAccountAsync();
        Assert.Equal(JobStates.Completed, (await rig.RestoreAsync(vault, machine, point)).State);
    }

    [Fact]
    public async Task What_cannot_be_tried_is_not_verified_and_says_why()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await MachineAsync(rig);
        _verifier.Answer = _ => throw new MachineException(MachineProblem.HostUnreachable, "Host 'h' does not answer.");
        await rig.BackUpAsync(vault, machine);
        await VerifyAsync(rig);
        await AssertNotVerifiedAsync(rig, vault, machine, "Host 'h' does not answer.");

        _verifier.Kind = "Other";
        await rig.BackUpAsync(vault, machine);
        await VerifyAsync(rig);
        await AssertNotVerifiedAsync(rig, vault, machine, "Machines of hosts of kind Folder cannot be booted here.");

        _verifier.Kind = "Folder";
        _verifier.Answer = _ => throw new InvalidOperationException("A fault of our own.");
        await rig.BackUpAsync(vault, machine);
        Assert.Equal("InternalError", Assert.Single(Assert.Single(await VerifyAsync(rig)).Errors).Title);
        Assert.Empty(await VerifyAsync(rig));
    }

    [Fact]
    public async Task A_verification_keeps_neither_backup_nor_restore_waiting_and_its_point_does_not_expire_meanwhile()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await MachineAsync(rig);
        var boots = new TaskCompletionSource<MachineVerification>();
        _verifier.Answer = token => boots.Task.WaitAsync(token);
        await rig.BackUpAsync(vault, machine);
        var (item, point) = await NewestAsync(rig, vault, machine);
        await rig.LifeOf().RunOnceAsync(Rig.Token);
        await using var worker = await StartAsync(rig);
        await Rig.UntilAsync(() => Task.FromResult(_verifier.Begun == 1));

        Assert.Null(rig.Holds.TryDoom(item.Key, point.Name));
        Assert.Null(await rig.Ledger.FindLiveAsync(item.Key, Rig.Token));
        Assert.Equal(JobStates.Completed, (await rig.BackUpAsync(vault, machine)).State);
        await rig.AddStorageAccountAsync();
        Assert.Equal(JobStates.Completed, (await rig.RestoreAsync(vault, machine, point)).State);
        // One at a time.
        await rig.LifeOf().RunOnceAsync(Rig.Token);
        Assert.Equal(1, _verifier.Begun);

        boots.SetResult(new(VerificationProofs.Console, TimeSpan.FromSeconds(9), "login:", default));
        await Rig.UntilAsync(async () => await Results(rig).FindAsync(item.Key, point.Name, Rig.Token) is not null);
        using var free = rig.Holds.TryDoom(item.Key, point.Name);
        Assert.NotNull(free);
        // The end of the one makes the item due for the next.
        await rig.LifeOf().RunOnceAsync(Rig.Token);
        await Rig.UntilAsync(() => Task.FromResult(_verifier.Begun == 2));
    }

    [Fact]
    public async Task Deleting_the_data_ends_the_verification_and_takes_the_results_away()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await MachineAsync(rig, softDelete: false);
        await rig.BackUpAsync(vault, machine);
        await VerifyAsync(rig);
        var (item, first) = await NewestAsync(rig, vault, machine);
        _verifier.Answer = async token =>
        {
            await Task.Delay(Timeout.Infinite, token);
            throw new InvalidOperationException("It never boots.");
        };
        await rig.BackUpAsync(vault, machine);
        await rig.LifeOf().RunOnceAsync(Rig.Token);
        await using var worker = await StartAsync(rig);
        await Rig.UntilAsync(() => Task.FromResult(_verifier.Begun == 2));

        var operation = await rig.Protection.DeleteAsync(vault, item.NativeName, Rig.Token);
        Assert.Equal(JobStates.Completed, (await rig.RunAsync(vault, operation!)).State);

        await Rig.UntilAsync(async () => !await rig.Ledger.HasLiveAsync(Rig.Token));
        Assert.Null(await Results(rig).FindAsync(item.Key, first.Name, Rig.Token));
        Assert.Null(await Results(rig).FindLastAsync(item.Key, Rig.Token));
    }

    [Fact]
    public async Task A_point_that_has_gone_before_it_is_booted_leaves_no_result()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await MachineAsync(rig);
        await rig.BackUpAsync(vault, machine);
        await rig.LifeOf().RunOnceAsync(Rig.Token);
        var (item, point) = await NewestAsync(rig, vault, machine);
        Assert.True(await rig.Get<IItemAgenda>().TryUnlistAsync(item, [point.Name], Rig.Token));

        await RunAsync(rig);

        Assert.Equal(0, _verifier.Begun);
        Assert.Null(await Results(rig).FindAsync(item.Key, point.Name, Rig.Token));
    }

    [Fact]
    public async Task A_verification_that_was_cut_off_is_begun_anew()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await MachineAsync(rig);
        await rig.BackUpAsync(vault, machine);
        await rig.LifeOf().RunOnceAsync(Rig.Token);
        Assert.Null(await rig.Ledger.ClaimAsync("all others", TimeSpan.FromHours(1), Rig.Token));
        Assert.NotNull(await rig.Ledger.ClaimBesideAsync("dead", TimeSpan.FromHours(1), Rig.Token));
        await rig.Ledger.ReleaseAllAsync(Rig.Token);

        var job = Assert.Single(await RunAsync(rig));

        Assert.Equal((JobStates.Completed, 2), (job.State, job.Attempt));
    }

    private static IPointVerificationRepository Results(Rig rig) => rig.Get<IPointVerificationRepository>();

    private static async Task<(Vault Vault, FakeMachine Machine)> MachineAsync(Rig rig, RestoreVerification? option = null, bool softDelete = true)
    {
        var vault = await rig.NewVaultAsync(softDelete: softDelete);
        var machine = rig.NewMachine("web1", FakeDisk.New(-1, "os", 1, 64 << 10));
        await rig.ProtectAsync(vault, machine);
        Assert.True(await new PolicyVerification(rig.Policies).PutAsync(vault, "DefaultPolicy", option ?? new() { IsEnabled = true }, Rig.Token));
        return (vault, machine);
    }

    private static async Task<(ProtectedItem Item, RecoveryPoint Point)> NewestAsync(Rig rig, Vault vault, FakeMachine machine)
    {
        var item = (await rig.Items.FindAsync(vault.Key, Rig.NativeName(machine), Rig.Token))!;
        return (item, (await rig.Points.ListAsync(item.Key, Rig.Token))[0]);
    }

    private static async Task AssertNotVerifiedAsync(Rig rig, Vault vault, FakeMachine machine, string why)
    {
        var (item, point) = await NewestAsync(rig, vault, machine);
        var result = await Results(rig).FindAsync(item.Key, point.Name, Rig.Token);
        Assert.Equal((VerificationStates.NotVerified, why), (result!.State, result.Message));
    }

    /// <summary>What time brings, with the backups that schedules begin.</summary>
    private async Task<List<Job>> VerifyAsync(Rig rig)
    {
        await rig.LiveAsync();
        return await RunAsync(rig);
    }

    /// <summary>Runs the verifications that were admitted.</summary>
    private async Task<List<Job>> RunAsync(Rig rig)
    {
        var before = await JobsAsync(rig);
        await using (await StartAsync(rig))
            await Rig.UntilAsync(async () => !await rig.Ledger.HasLiveAsync(Rig.Token));
        return [.. (await JobsAsync(rig)).Where(j => before.Any(b => b.Id == j.Id && b.IsLive))];
    }

    private static async Task<IReadOnlyList<Job>> JobsAsync(Rig rig)
    {
        var vault = (await rig.Vaults.FindAsync(Rig.Subscription, "Lab", "vault1", Rig.Token))!;
        return await rig.Ledger.ListAsync(vault.Key, new() { Operation = JobOperations.VerifyRestore }, null, 100, Rig.Token);
    }

    private Task<RunningWorker> StartAsync(Rig rig) => rig.StartWorkerAsync(
        new() { RunsBeside = true }, new VerificationHandler(rig.Items, rig.Points, rig.Ledger, rig.Stores, rig.Holds, [_verifier], rig.Time));
}
