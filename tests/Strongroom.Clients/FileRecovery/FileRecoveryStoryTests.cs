using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using Strongroom.Clients.Az;
using Strongroom.Clients.Guests;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.FileRecovery;

/// <summary>
/// Files come back from a recovery point: az writes the script, and the script runs on a real machine with open-iscsi,
/// which has a volume group and a btrfs with the very names and ids of those in the recovery point mounted itself.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class FileRecoveryStoryTests : IDisposable
{
    private const string Account = "restores1";
    private const string Script = "/root/recover.py";

    /// <summary>What a volume holds, in the form of make-disks.sh.</summary>
    private const string SumFiles = "find . -type f ! -path './lost+found/*' | while read -r file; do printf '%s %s %s\\n' \"$label\" \"$(sha256sum <\"$file\" | cut -d' ' -f1)\" \"$file\"; done";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 1_800_000)]
    public async Task Every_file_comes_back_through_the_script_and_none_after_the_mount_was_revoked()
    {
        var token = TestContext.Current.CancellationToken;
        var image = await GuestImage.FindAsync(token);
        var machine = await MountedMachine.FindOrMakeAsync(image, token);
        var starting = Guest.StartAsync(image, [new(machine.LvmDisk), new(machine.BtrfsDisk)], token);
        using var program = AzProgram.OfThisMachine();
        await machine.CopyAsync(_folder.Combine("machines", "web1"), token);
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), _folder.Path, token);
        var lab = Lab.Of(server);
        using var client = await ArmClient.SignInAsync(server, token);
        await LabSetUp.ProtectAsync(client, lab, _folder.Combine("machines"), Account, token);
        var point = $"-g {lab.Group} -v {lab.Vault} -c {lab.Machine} -i {lab.Machine} -r {await LabSetUp.BackUpAsync(client, lab, token)}";
        var az = await AzCli.SignInAsync(program, server, token);
        await using var guest = await starting;

        var (script, password) = await MountAsync(az, program, point, token);
        await guest.PutAsync(Script, script, token);
        (await guest.RunAsync("set -e; mkdir -p /run/logs /run/pool /root/recovered /etc/iscsi/nodes /etc/iscsi/ifaces; mount /dev/vg0/logs /run/logs; mount /dev/vdc /run/pool", token)).Succeeded();
        var before = await StateAsync(guest, token);
        var run = new GuestScript(guest, Script, $"--portal {Guest.Host}:{server.Endpoint.Port}", password);

        await AssertRefusedAsync(run, token);
        await AssertEveryFileAsync(guest, machine, await run.MountAsync(token), token);
        await AssertUndoneAsync(guest, run, before, token);

        // A script that was killed, wherever it was, can be undone and run again.
        Assert.Equal(-9, (await run.RunAsync("", token, "timeout -s KILL 9")).ExitCode);
        await AssertUndoneAsync(guest, run, before, token);
        await run.MountAsync(token);

        await az.RunAsync($"backup restore files unmount-rp {point}", token);
        // The server has closed the connection; the machine tries to come back for a while, and must not be waited for.
        Assert.Contains("is lost or has ended", (await run.RunAsync("status", token)).StandardOutput, StringComparison.Ordinal);
        await AssertUndoneAsync(guest, run, before, token);
        var refused = await run.RunAsync("", token);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("does not know this script any more", refused.StandardError, StringComparison.Ordinal);
        await AssertUndoneAsync(guest, run, before, token);
    }

    /// <summary>What az leaves for its user: a script without the password, and the password.</summary>
    private static async Task<(string Script, string Password)> MountAsync(AzCli az, AzProgram program, string point, CancellationToken token)
    {
        var told = await az.WarningsAsync($"backup restore files mount-rp {point}", token);
        var password = told.Split("Use password ")[1].Trim().Split('\n')[0];
        var script = await File.ReadAllTextAsync(Assert.Single(Directory.GetFiles(program.WorkFolder, "web1_*.py")), token);
        Assert.Equal(15, password.Length);
        Assert.DoesNotContain(password, script, StringComparison.Ordinal);
        return (script, password);
    }

    private static async Task AssertRefusedAsync(GuestScript run, CancellationToken token)
    {
        var wrong = await (run with { Password = "NotThePassword1" }).RunAsync("", token);
        Assert.Equal(1, wrong.ExitCode);
        Assert.True(wrong.StandardError.Contains("refused the password", StringComparison.Ordinal), wrong.StandardError);
        Assert.Equal(3, (await run.RunAsync("status", token)).ExitCode);
    }

    /// <summary>Every file that the machine had is there with its content, and what holds no files is named with the reason.</summary>
    private static async Task AssertEveryFileAsync(Guest guest, MountedMachine machine, JsonNode mounted, CancellationToken token)
    {
        var volumes = mounted["volumes"]!.AsArray().OfType<JsonNode>().ToList();
        var found = new Dictionary<string, string>();
        foreach (var volume in volumes.Where(volume => volume.Text("mountPoint") != ""))
        {
            Assert.StartsWith("/root/recovered/web1-20", volume.Text("mountPoint"), StringComparison.Ordinal);
            var label = volume.Text("label");
            foreach (var (file, sum) in MountedMachine.Read((await guest.RunAsync($"label={label}; cd {volume.Text("mountPoint")} && {SumFiles}", token)).Succeeded().StandardOutput))
                found.Add(file, sum);
        }

        Assert.Equal(machine.Files.OrderBy(pair => pair.Key, StringComparer.Ordinal), found.OrderBy(pair => pair.Key, StringComparer.Ordinal));
        Assert.Equal(["", "LVM2_member", "LVM2_member", "LVM2_member", "btrfs", "linux_raid_member", "linux_raid_member", "swap"], volumes.Where(volume => volume.Text("mountPoint") == "").Select(volume => volume.Text("type")).Order(StringComparer.Ordinal));
        Assert.All(volumes, volume => Assert.NotEqual(volume.Text("mountPoint") == "", volume.Text("reason") == ""));
        Assert.Contains("Read-only", (await guest.RunAsync("cd /root/recovered/*/Volume1 && touch new", token)).StandardError, StringComparison.Ordinal);
    }

    /// <summary>The machine is as it was before, its own volumes above all; doing it again changes nothing.</summary>
    private static async Task AssertUndoneAsync(Guest guest, GuestScript run, string before, CancellationToken token)
    {
        for (var round = 0; round < 2; round++)
        {
            var cleaned = await run.RunAsync("clean", token);
            Assert.True(cleaned.ExitCode == 0, cleaned.StandardOutput + cleaned.StandardError);
        }

        Assert.Equal(before, await StateAsync(guest, token));
    }

    /// <summary>All that the script could have left behind, and what the machine's own volumes hold. What LVM writes down of a group that udev activated is the machine's own.</summary>
    private static async Task<string> StateAsync(Guest guest, CancellationToken token)
    {
        var state = await guest.RunAsync(
            "lsblk -rno NAME,SIZE,TYPE; cut -d' ' -f5- /proc/self/mountinfo; vgs --noheadings -o vg_name,vg_uuid; dmsetup ls | sort; ls -R -I 'two*' /etc/iscsi /etc/lvm/archive /etc/lvm/backup /root/recovered; "
            + "cat /sys/class/iscsi_session/*/targetname 2>/dev/null; pgrep -f '[-]-tunnel'; find /run/strongroom-recovery -mindepth 1 ! -name '*.lock' 2>/dev/null; "
            + "sha256sum /run/logs/random.bin /run/pool/random.bin", token);
        return state.StandardOutput;
    }

    /// <summary>The script in the guest.</summary>
    private sealed record GuestScript(Guest Guest, string Path, string Options, string Password)
    {
        public Task<CommandResult> RunAsync(string command, CancellationToken token, string through = "") =>
            Guest.RunAsync($"cd /root/recovered && exec {through} python3 {Path} {command} {Options}", token, Password + "\n", timeoutSeconds: 300);

        /// <summary>Mounts, and returns what it says as JSON.</summary>
        public async Task<JsonNode> MountAsync(CancellationToken token) =>
            JsonNode.Parse((await RunAsync("mount --json", token)).Succeeded().StandardOutput)!;
    }
}
