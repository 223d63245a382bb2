using System.Globalization;
using System.Text.Json.Nodes;
using Strongroom.Clients.Disks;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.NodeSdk;

/// <summary>
/// The Azure SDK for JavaScript against a running server: node/story.mjs plays the story with its own assertions and
/// stops where the disk is to change, so that this test can change it and check the restored bytes itself.
/// </summary>
public sealed class NodeStoryTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 600_000)]
    public async Task The_SDK_for_JavaScript_plays_the_whole_story()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var node = RequireSdk();
        var hostFolder = _folder.Combine("machines");
        var machine = SampleMachine.Create(hostFolder, "web1", seed: 11, 32, 8);
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), hostFolder, cancellationToken);
        using var client = await ArmClient.SignInAsync(server, cancellationToken);

        var firstContent = machine.Content();
        var first = await PlayAsync(node, server, hostFolder, "first", cancellationToken);
        machine.Change(seed: 12);
        var secondContent = machine.Content();
        var second = await PlayAsync(node, server, hostFolder, "second", cancellationToken);
        machine.Change(seed: 13);

        var lab = Lab.Of(server);
        await RestoredDisks.AssertEqualAsync(client, await RestoreAsync(first), firstContent, cancellationToken);
        await RestoredDisks.AssertEqualAsync(client, await RestoreAsync(second), secondContent, cancellationToken);
        await PlayAsync(node, server, hostFolder, "end", cancellationToken);

        async Task<JsonNode> RestoreAsync(string recoveryPoint)
        {
            var job = await PlayAsync(node, server, hostFolder, "restore", cancellationToken, recoveryPoint);
            return await client.GetAsync(lab.VaultUrl($"backupJobs/{job}"), cancellationToken);
        }
    }

    [Fact(Timeout = 600_000)]
    public async Task Every_method_of_the_SDK_is_answered_as_the_SDK_reads_it_or_refused_with_a_code()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var node = RequireSdk();
        var hostFolder = _folder.Combine("machines");
        SampleMachine.Create(hostFolder, "web1", seed: 51, 4);
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), hostFolder, cancellationToken);
        using var client = await ArmClient.SignInAsync(server, cancellationToken);
        var lab = Lab.Of(server);
        await LabSetUp.ProtectAsync(client, lab, hostFolder, "restores1", cancellationToken);
        var point = await LabSetUp.BackUpAsync(client, lab, cancellationToken);

        Assert.Equal(104, int.Parse(await RunAsync(node, server, hostFolder, ["methods.mjs"], point, cancellationToken), CultureInfo.InvariantCulture));
    }

    [Fact(Timeout = 600_000)]
    public async Task The_SDK_protects_and_restores_a_file_share()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var node = RequireSdk();
        var shares = _folder.Combine("shares");
        Directory.CreateDirectory(Path.Combine(shares, "docs"));
        Directory.CreateDirectory(Path.Combine(shares, "spare"));
        await File.WriteAllTextAsync(Path.Combine(shares, "docs", "plan.txt"), "the plan", cancellationToken);
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), shares, cancellationToken);

        Assert.Equal("done", await RunAsync(node, server, shares, ["shares.mjs"], "", cancellationToken));
    }

    private static string RequireSdk()
    {
        var node = Peer.RequireOrSkip("node", "nodejs (20 or later)");
        if (!Directory.Exists(Path.Combine(Repository.NodeFolder, "node_modules", "@azure", "identity")))
            Peer.Missing($"The Azure SDK is not installed: npm ci in {Repository.NodeFolder}.");
        return node;
    }

    /// <summary>Plays one act; its last line is the name of the recovery point or job that it made.</summary>
    private static Task<string> PlayAsync(
        string node, ServerProcess server, string hostFolder, string act, CancellationToken cancellationToken, string recoveryPoint = "") =>
        RunAsync(node, server, hostFolder, ["story.mjs", act], recoveryPoint, cancellationToken);

    /// <summary>Runs a script to its end and returns the last line that it printed.</summary>
    private static async Task<string> RunAsync(
        string node, ServerProcess server, string hostFolder, string[] script, string recoveryPoint, CancellationToken cancellationToken)
    {
        var result = await CommandResult.RunAsync(
            node,
            [Path.Combine(Repository.NodeFolder, script[0]), .. script[1..]],
            new Dictionary<string, string>
            {
                ["NODE_EXTRA_CA_CERTS"] = server.TrustFile,
                ["STRONGROOM_ADMIN"] = Path.Combine(server.DataFolder, "admin.json"),
                ["STRONGROOM_ENDPOINT"] = server.Endpoint.GetLeftPart(UriPartial.Authority),
                ["STRONGROOM_MACHINES"] = hostFolder,
                ["STRONGROOM_RECOVERY_POINT"] = recoveryPoint,
            },
            cancellationToken);
        Assert.True(result.ExitCode == 0, $"{string.Join(' ', script)} ended with status {result.ExitCode}\n{result.StandardError}\n{result.StandardOutput}\n{server.LogTail}");
        return result.StandardOutput.Trim().Split('\n')[^1];
    }
}
