using System.Text.Json.Nodes;
using Strongroom.Clients.Kill;
using Strongroom.Libvirt.Machines;

namespace Strongroom.Libvirt.Stories;

/// <summary>Recovery points that are booted to prove that they can be.</summary>
public sealed class VerificationStoryTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_point_boots_in_isolation_and_shows_its_picture_and_one_that_does_not_boot_says_so()
    {
        await using var scene = await LiveScene.StartAsync(new("web1") { Mac = "52:54:00:12:34:56", DataDisks = [DiskKind.Qcow2] }, Cancellation);
        await WantAsync(scene, new JsonObject { ["isEnabled"] = true, ["timeoutSeconds"] = 120 });
        var (proven, _) = await scene.BackUpAsync(Cancellation);
        var result = await ResultAsync(scene, proven);
        Assert.True((string?)result["state"] == "ProvenBootable", result.ToJsonString());
        Assert.Equal("GuestAgent", (string?)result["by"]);
        Assert.Equal("running", await scene.Machine.StateAsync(Cancellation));
        Assert.Equal(["web1"], await NamesAsync(scene));
        Assert.Empty(Directory.GetFileSystemEntries(scene.Host.Folders.Scratch));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(scene.Server.DataFolder, "verification")));
        using (var answer = await scene.Client.SendAsync(HttpMethod.Get, ScreenshotUrl(scene, proven), null, Cancellation))
        {
            Assert.Equal("image/png", answer.Content.Headers.ContentType?.MediaType);
            var picture = Screenshot.Parse(await answer.Content.ReadAsByteArrayAsync(Cancellation));
            picture.Keep("verified-point");
            Assert.True(picture.DistinctColours > 1);
        }

        // A disk without a boot sector.
        (await scene.Machine.RunAsync("rm /data/* -rf; dd if=/dev/zero of=/dev/vda bs=512 count=1 conv=fsync", Cancellation)).Succeeded();
        await WantAsync(scene, new JsonObject { ["isEnabled"] = true, ["timeoutSeconds"] = 30 });
        var (broken, _) = await scene.BackUpAsync(Cancellation);
        var failure = await ResultAsync(scene, broken);
        Assert.True((string?)failure["state"] == "Failed", failure.ToJsonString());
        Assert.Equal("Completed", (string?)(await KillSteps.JobsAsync(scene.Client, scene.Lab, Cancellation)).First(job => (string?)job["properties"]!["operation"] == "Backup")["properties"]!["status"]);
    }

    private static Task WantAsync(LiveScene scene, JsonObject option) => scene.Client.ChangeAsync(HttpMethod.Put,
        scene.Lab.VaultUrl("backupPolicies/DefaultPolicy/providers/Strongroom.RecoveryServices/restoreVerifications/default"), new JsonObject { ["properties"] = option }, Cancellation);

    private static async Task<JsonNode> ResultAsync(LiveScene scene, JsonNode point)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromMinutes(4));
        while (true)
        {
            var result = await scene.Client.GetAsync(scene.Lab.ItemUrl($"recoveryPoints/{point["name"]}/providers/Strongroom.RecoveryServices/verifications/default"), limit.Token);
            if (result["properties"]!["message"] is not null) return result["properties"]!;
            await Task.Delay(200, limit.Token);
        }
    }

    private static string ScreenshotUrl(LiveScene scene, JsonNode point) =>
        scene.Lab.ItemUrl($"recoveryPoints/{point["name"]}/providers/Strongroom.RecoveryServices/verifications/default/screenshot");

    private static async Task<IEnumerable<string>> NamesAsync(LiveScene scene) =>
        (await scene.Host.VirshAsync(["list", "--all", "--name"], Cancellation)).Succeeded().StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
