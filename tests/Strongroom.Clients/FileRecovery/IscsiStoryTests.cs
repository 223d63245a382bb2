using System.Net;
using System.Net.Sockets;
using Strongroom.Clients.Disks;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.FileRecovery;

/// <summary>Initiators that need no script: libiscsi as it is in QEMU reads every disk of a mounted recovery point, and a machine boots from one.</summary>
public sealed class IscsiStoryTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 1_800_000)]
    public async Task Every_disk_over_iSCSI_equals_the_machines_and_none_can_be_had_after_the_mount_is_revoked()
    {
        var token = TestContext.Current.CancellationToken;
        var qemuImg = RequireQemuImg();
        var hostFolder = _folder.Combine("machines");
        var machine = SampleMachine.Create(hostFolder, "web1", seed: 31, 24, 7, 3);
        // The system's disk first and then the data disks, as the units are numbered.
        await using var stage = await Stage.StartAsync(_folder.Combine("data"), hostFolder, token);
        var mount = await stage.MountAsync(token);
        var copies = machine.Disks.Select((disk, index) => (Index: index, Path: _folder.Combine($"copy{index}"), Disk: disk)).ToList();
        foreach (var (_, path, disk) in copies) File.Copy(disk, path);
        // The mount shows what was backed up, whatever becomes of the machine.
        machine.Change(seed: 32);

        foreach (var (index, path, _) in copies)
            (await CompareAsync(mount.Url(stage.Iscsi, index), path)).Succeeded();
        Assert.Equal(1, (await CompareAsync(mount.Url(stage.Iscsi, 0), machine.Disks[0])).ExitCode);
        Assert.Contains("Authentication failure", (await CompareAsync(mount.Url(stage.Iscsi, 0, "not-the-password"), copies[0].Path)).StandardError, StringComparison.Ordinal);
        // What is written stays with who wrote it.
        var blank = _folder.Combine("blank");
        await File.WriteAllBytesAsync(blank, new byte[new FileInfo(copies[1].Path).Length], token);
        (await CommandResult.RunAsync(qemuImg, ["convert", "-n", "-f", "raw", "-O", "raw", blank, mount.Url(stage.Iscsi, 1)], null, token)).Succeeded();
        (await CompareAsync(mount.Url(stage.Iscsi, 1), copies[1].Path)).Succeeded();

        await stage.RevokeAsync(token);
        var gone = await CompareAsync(mount.Url(stage.Iscsi, 0), copies[0].Path);
        Assert.NotEqual(0, gone.ExitCode);
        Assert.Contains("Target not found", gone.StandardError, StringComparison.Ordinal);

        Task<CommandResult> CompareAsync(string url, string path) => CommandResult.RunAsync(qemuImg, ["compare", "-f", "raw", "-F", "raw", url, path], null, token);
    }

    [Fact(Timeout = 1_800_000)]
    public async Task A_machine_boots_from_a_recovery_point()
    {
        var token = TestContext.Current.CancellationToken;
        RequireQemuImg();
        var qemu = Peer.RequireOrSkip("qemu-system-x86_64", "qemu-system-x86");
        foreach (var (tool, package) in ((string, string)[])[("syslinux", "syslinux"), ("mcopy", "mtools"), ("mkfs.vfat", "dosfstools"), ("sfdisk", "fdisk"), ("mke2fs", "e2fsprogs")])
            Peer.RequireOrSkip(tool, package);
        var scripts = Path.Combine(Repository.Root, "tests", "Strongroom.Clients", "Guests");
        var guest = await CommandResult.RunAsync("bash", [Path.Combine(scripts, "guest.sh"), "path"], null, token);
        if (guest.ExitCode != 0) Peer.Missing("There is no guest: tests/Strongroom.Clients/Guests/guest.sh prepare makes it (root, mmdebstrap).");
        var hostFolder = _folder.Combine("machines");
        Directory.CreateDirectory(Path.Combine(hostFolder, "web1"));
        var environment = new Dictionary<string, string> { ["PATH"] = Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin:/sbin" };
        var made = (await CommandResult.RunAsync("bash", [Path.Combine(scripts, "boot-disk.sh"), guest.StandardOutput.Trim(), Path.Combine(hostFolder, "web1", "os.raw")], environment, token)).Succeeded();
        await using var stage = await Stage.StartAsync(_folder.Combine("data"), hostFolder, token);
        var mount = await stage.MountAsync(token);

        // Written to while it runs: the journal at least. No snapshot of QEMU's own is between it and the mount.
        var booted = (await CommandResult.RunAsync(qemu,
        [
            "-accel", "tcg", "-m", "256", "-display", "none", "-no-reboot", "-serial", "stdio", "-net", "none",
            "-drive", $"file={mount.Url(stage.Iscsi, 0)},format=raw,if=virtio",
        ], null, token)).Succeeded();

        Assert.Contains($"BOOTED {made.StandardOutput.Trim()}", booted.StandardOutput, StringComparison.Ordinal);
    }

    private static string RequireQemuImg()
    {
        var qemuImg = Peer.RequireOrSkip("qemu-img", "qemu-utils");
        if (!Directory.Exists("/usr/lib") || !Directory.EnumerateFiles("/usr/lib", "block-iscsi.so", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 3, IgnoreInaccessible = true }).Any())
            Peer.Missing("qemu cannot speak iSCSI: install the package qemu-block-extra.");
        return qemuImg;
    }

    /// <summary>A server that listens for iSCSI, with a backup of web1.</summary>
    private sealed record Stage(ServerProcess Server, ArmClient Client, Lab Lab, string Point, IPEndPoint Iscsi) : IAsyncDisposable
    {
        public static async Task<Stage> StartAsync(string dataFolder, string hostFolder, CancellationToken cancellationToken)
        {
            var endPoint = FreeEndPoint();
            var server = await ServerProcess.StartAsync(dataFolder, hostFolder, ["--iscsi-listen", endPoint.ToString()], cancellationToken);
            var client = await ArmClient.SignInAsync(server, cancellationToken);
            var lab = Lab.Of(server);
            await LabSetUp.ProtectAsync(client, lab, hostFolder, "restores1", cancellationToken);
            return new(server, client, lab, await LabSetUp.BackUpAsync(client, lab, cancellationToken), endPoint);
        }

        public Task<MountedPoint> MountAsync(CancellationToken cancellationToken) => MountedPoint.ProvisionAsync(Client, Lab, Point, cancellationToken);

        public Task RevokeAsync(CancellationToken cancellationToken) => MountedPoint.RevokeAsync(Client, Lab, Point, cancellationToken);

        public async ValueTask DisposeAsync()
        {
            Client.Dispose();
            await Server.DisposeAsync();
        }

        private static IPEndPoint FreeEndPoint()
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            return (IPEndPoint)socket.LocalEndPoint!;
        }
    }
}
