using System.Text.Json.Nodes;
using Strongroom.Clients.Disks;
using Strongroom.Clients.Peers;
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
        var node = Peer.RequireOrSkip("node", "nodejs (20 or later)");
        if (!Directory.Exists(Path.Combine(Repository.NodeFolder, "node_modules", "@azure", "identity")))
            Peer.Missing($"The Azure SDK is not installed: npm ci in {Repository.NodeFolder}.");

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

    /// <summary>Plays one act; its last line is the name of the recovery point or job that it made.</summary>
    private static async Task<string> PlayAsync(
        string node, ServerProcess server, string hostFolder, string act, CancellationToken cancellationToken, string recoveryPoint = "")
    {
        var result = await CommandResult.RunAsync(
            node,
            [Path.Combine(Repository.NodeFolder, "story.mjs"), act],
            new Dictionary<string, string>
            {
                ["NODE_EXTRA_CA_CERTS"] = server.TrustFile,
                ["STRONGROOM_ADMIN"] = Path.Combine(server.DataFolder, "admin.json"),
                ["STRONGROOM_ENDPOINT"] = server.Endpoint.GetLeftPart(UriPartial.Authority),
                ["STRONGROOM_MACHINES"] = hostFolder,
                ["STRONGROOM_RECOVERY_POINT"] = recoveryPoint,
            },
            cancellationToken);
        Assert.True(result.ExitCode == 0, $"story.mjs {act} ended with status {result.ExitCode}\n{result.StandardError}\n{result.StandardOutput}\n{server.LogTail}");
        return result.StandardOutput.Trim().Split('\n')[^1];
    }
}
