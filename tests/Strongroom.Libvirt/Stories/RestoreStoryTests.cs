using System.Text.Json.Nodes;
using Strongroom.Clients.Rest;
using Strongroom.Libvirt.Checks;
using Strongroom.Libvirt.Machines;

namespace Strongroom.Libvirt.Stories;

/// <summary>What comes back of a machine that ran while it was backed up, through the API as its users have it.</summary>
public sealed class RestoreStoryTests
{
    private static readonly TimeSpan BootLimit = TimeSpan.FromMinutes(10);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_machine_boots_with_the_records_of_the_moment_and_the_old_one_gets_its_disks_back()
    {
        await using var scene = await StartAsync();
        await scene.Machine.StartWriterAsync(Cancellation);
        var durable = scene.Machine.LastDurableRecord;
        var point = (string)(await scene.BackUpAsync(Cancellation)).Point["name"]!;

        await Jobs.CompletedAsync(scene.Client, scene.Lab, await scene.Client.ChangeAsync(HttpMethod.Post, scene.Lab.ItemUrl($"recoveryPoints/{point}/restore"), Body(scene, point, "web2"), Cancellation), Cancellation);
        var restored = await LiveMachine.FindAsync(scene.Host, "web2", Cancellation);
        await AssertHoldsAsync(restored, durable);
        await restored.StartAsync(Cancellation);
        await LoginPrompt.WaitAsync(restored, "restored-from-vault-login", Cancellation);

        await scene.Machine.StopWriterAsync(Cancellation);
        (await scene.Machine.RunAsync("rm /data/records; sync", Cancellation)).Succeeded();
        await scene.Machine.ShutDownAsync(Cancellation);
        await Jobs.CompletedAsync(scene.Client, scene.Lab, await scene.Client.ChangeAsync(HttpMethod.Post, scene.Lab.ItemUrl($"recoveryPoints/{point}/restore"), Body(scene, point, null), Cancellation), Cancellation);
        var back = await LiveMachine.FindAsync(scene.Host, "web1", Cancellation);
        await AssertHoldsAsync(back, durable);
        await back.StartAsync(Cancellation);

        // Its changes are not tracked any more, and its next backup is right all the same.
        (await back.RunAsync("echo after >/data/note; sync", Cancellation)).Succeeded();
        var next = (string)(await scene.BackUpAsync(Cancellation)).Point["name"]!;
        Assert.True(Assert.Single(await scene.CheckAsync(next, Cancellation)) is { IsClean: true, Records.Damage: null } check && check.Records.Count >= durable);
    }

    [Fact]
    public async Task A_machine_boots_from_the_vault_whose_server_is_killed_and_ends_with_its_own_disks()
    {
        await using var scene = await StartAsync();
        await scene.Machine.StartWriterAsync(Cancellation);
        var durable = scene.Machine.LastDurableRecord;
        var point = (string)(await scene.BackUpAsync(Cancellation)).Point["name"]!;
        var url = scene.Lab.ItemUrl($"recoveryPoints/{point}/instantBoot").Replace("/Microsoft.RecoveryServices/", "/Strongroom.RecoveryServices/", StringComparison.Ordinal);
        var body = new JsonObject { ["properties"] = new JsonObject { ["targetVirtualMachineId"] = $"{scene.Lab.GroupPath}/providers/Microsoft.Compute/virtualMachines/web2" } };
        using (var answer = await scene.Client.SendAsync(HttpMethod.Post, url, body, Cancellation))
        {
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
        }

        var job = (string)(await scene.Client.ListAsync(scene.Lab.VaultUrl("backupJobs"), Cancellation))[0]["name"]!;
        await WaitForBootAsync(scene, job);
        var restored = await LiveMachine.FindAsync(scene.Host, "web2", Cancellation);
        await restored.Agent.WaitAsync(Cancellation);
        scene.Server.Kill();
        // The machine waits, and nothing tells its guest.
        await Task.Delay(TimeSpan.FromSeconds(1), Cancellation);
        await scene.Server.StartAsync(Cancellation);
        scene.Reconnect();
        await restored.Agent.WaitAsync(Cancellation);
        await LoginPrompt.WaitAsync(restored, "instantly-booted-login", Cancellation);
        (await restored.RunAsync("echo written while it ran from the vault >/data/note; sync", Cancellation)).Succeeded();

        var ended = await scene.WaitForJobAsync(job, Cancellation);
        Assert.True(Jobs.Status(ended) == "Completed", ended.ToJsonString() + scene.Server.LogTail);
        Assert.Empty(Directory.GetFiles(scene.Host.Folders.Scratch));
        Assert.Equal("written while it ran from the vault", (await restored.RunAsync("cat /data/note", Cancellation)).Succeeded().StandardOutput.Trim());
        await scene.Server.StopAsync(Cancellation);
        await restored.ShutDownAsync(Cancellation);
        await AssertHoldsAsync(restored, durable);
        await restored.StartAsync(Cancellation);
    }

    private static async Task<LiveScene> StartAsync()
    {
        var scene = await LiveScene.StartAsync(new("web1"), Cancellation);
        try
        {
            foreach (var arguments in (string[][])[["pool-define-as", "restores", "dir", "--target", scene.Host.Folders.Disks], ["pool-start", "restores"]])
                (await scene.Host.VirshAsync(arguments, Cancellation)).Succeeded();
            return scene;
        }
        catch
        {
            await scene.DisposeAsync();
            throw;
        }
    }

    private static JsonObject Body(LiveScene scene, string point, string? newName)
    {
        var body = scene.Lab.RestoreBody(point, "restores1");
        body["properties"]!["recoveryType"] = newName is null ? "OriginalLocation" : "AlternateLocation";
        if (newName is not null) body["properties"]!["targetVirtualMachineId"] = $"{scene.Lab.GroupPath}/providers/Microsoft.Compute/virtualMachines/{newName}";
        return body;
    }

    private static async Task WaitForBootAsync(LiveScene scene, string job)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(BootLimit);
        while (true)
        {
            var shown = await scene.Client.GetAsync(scene.Lab.VaultUrl($"backupJobs/{job}"), limit.Token);
            Assert.True(Jobs.IsLive(shown), shown.ToJsonString() + scene.Server.LogTail);
            if ((string?)shown["properties"]!["extendedInfo"]!["tasksList"]![0]!["status"] == "Completed") return;
            await Task.Delay(50, limit.Token);
        }
    }

    private static async Task AssertHoldsAsync(LiveMachine machine, long durable)
    {
        var check = await DiskCheck.RunAsync(machine.Disks[0].Path, Cancellation, "qcow2");
        Assert.True(check is { IsClean: true, Records.Damage: null } && check.Records.Count >= durable, check.ToString());
    }
}
