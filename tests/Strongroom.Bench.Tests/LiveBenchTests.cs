using System.Text.Json.Nodes;
using Strongroom.Bench.Live;
using Strongroom.Clients.Peers;
using Strongroom.Libvirt.Guests;
using Repository = Strongroom.Clients.Repository;

namespace Strongroom.Bench.Tests;

/// <summary>The whole of `live` on a small disk.</summary>
public sealed class LiveBenchTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Backups_of_a_live_machine_and_its_writes_meanwhile_are_measured()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "A libvirtd of one's own needs root.");
        await RequirePeersAsync();
        // QEMU runs as a user of its own.
        File.SetUnixFileMode(folder.Path, (UnixFileMode)0b111_101_101);
        var json = folder["live.json"];
        Assert.Equal(0, await LiveBench.RunAsync(new(new(64 << 20, 50, 25, 25, 1, "/usr/bin"), 2, 1, TimeSpan.FromSeconds(2), Repository.ServerExecutable, folder.Path, Keep: false, json), Cancellation));

        var measured = JsonNode.Parse(await File.ReadAllTextAsync(json, Cancellation))!;
        foreach (var tool in (string[])["strongroom", "virtnbdbackup"])
        {
            var backups = BackupsOf(measured, tool);
            Assert.InRange((long)backups["First"]["readBytes"]!, 32 << 20, 200 << 20);
            // 20 pieces of 64 KiB, and what the guest's own disk had.
            Assert.InRange((long)backups["Second"]["readBytes"]!, 10 << 16, 20 << 20);
            Assert.InRange((long)backups["Second"]["storedBytes"]!, 10 << 16, 8 << 20);
            Assert.True((double)backups["Apart"]["wallSeconds"]! > 0);
        }

        var job = BackupsOf(measured, "strongroom")["Second"]["job"]!;
        Assert.InRange((long)job["readBytes"]!, 10 << 16, 10 << 20);
        Assert.True((long)job["frozenMilliseconds"]! > 0);
        Assert.InRange((double)job["snapshotSeconds"]! + (double)job["transferSeconds"]!, 0.001, (double)job["seconds"]!);
        Assert.All(measured["writes"]!.AsArray(), writes => Assert.True((long)writes!["writes"]! > 0));
        Assert.Equal([json], Directory.EnumerateFileSystemEntries(folder.Path));
    }

    private static Dictionary<string, JsonNode> BackupsOf(JsonNode measured, string tool) =>
        measured["backups"]!.AsArray().Where(backup => (string)backup!["tool"]! == tool).ToDictionary(backup => (string)backup!["step"]!, backup => backup!);

    private static async Task RequirePeersAsync()
    {
        try
        {
            foreach (var (program, package) in (ReadOnlySpan<(string, string)>)[("libvirtd", "libvirt-daemon-system"), ("virsh", "libvirt-clients"), ("qemu-system-x86_64", "qemu-system-x86"), ("virtnbdbackup", "virtnbdbackup")])
                Peer.RequireOrSkip(program, package);
            await LiveGuest.FindAsync(Cancellation);
        }
        catch (InvalidOperationException missing) when (Environment.GetEnvironmentVariable("STRONGROOM_REQUIRE_PEERS") != "1")
        {
            Assert.Skip(missing.Message);
        }
    }
}
