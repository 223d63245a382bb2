using Strongroom.Libvirt.Machines;

namespace Strongroom.Libvirt.Peers;

/// <summary>Debian's virtnbdbackup, an independent program that backs machines up through the same interface of libvirt.</summary>
/// <param name="folder">A new folder for the backups of one machine; as the machine's disks it is on libvirtd's machine.</param>
internal sealed class VirtNbdBackup(LiveMachine machine, string folder)
{
    // With a transport in it, it asks for a user and a password; libvirt takes the socket without.
    private string Uri => machine.Host.Uri.Replace("qemu+unix:", "qemu:", StringComparison.Ordinal);

    /// <summary>Backs all disks up.</summary>
    /// <param name="level">"full", "inc", or "copy" (a full one without a checkpoint; the only one for raw disks).</param>
    /// <returns>What it said.</returns>
    public async Task<CommandResult> BackupAsync(string level, CancellationToken cancellationToken)
    {
        var program = Peer.RequireOrSkip("virtnbdbackup", "virtnbdbackup");
        var folders = machine.Host.Folders;
        return (await CommandResult.RunAsync(program,
            ["-U", Uri, "-d", machine.Name, "-l", level, "-o", folder, "-S", folders.Scratch, "-f", Path.Combine(folders.Sockets, $"{machine.Name}.peer"), "--noprogress"],
            null, cancellationToken)).Succeeded();
    }

    /// <summary>Restores all disks as of the newest backup.</summary>
    /// <param name="output">A new folder.</param>
    /// <returns>The disks by their targets (vda and so on): qcow2 files, or raw where the machine's disk is raw.</returns>
    public async Task<IReadOnlyDictionary<string, string>> RestoreAsync(string output, CancellationToken cancellationToken)
    {
        var program = Peer.RequireOrSkip("virtnbdrestore", "virtnbdbackup");
        Directory.CreateDirectory(output);
        // One at a time, each by a socket of its own: the server of one disk may remove the socket that the next has just made.
        var disks = machine.Disks.ToDictionary(disk => disk.Target, disk => Path.Combine(output, Path.GetFileName(disk.Path)));
        foreach (var (target, path) in disks)
        {
            (await CommandResult.RunAsync(program,
                ["-U", Uri, "-i", folder, "-o", output, "-d", target, "-f", Path.Combine(output, $"{target}.socket"), "--noprogress"], null, cancellationToken)).Succeeded();
            await WaitUntilWrittenAsync(path, cancellationToken);
        }
        return disks;
    }

    /// <summary>The peer's own server of a disk may run on after the peer has ended. It locks the disk until all is written.</summary>
    private static async Task WaitUntilWrittenAsync(string path, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(5));
        while ((await CommandResult.RunAsync(Peer.RequireOrSkip("qemu-img", "qemu-utils"), ["info", path], null, limit.Token)).ExitCode != 0)
            await Task.Delay(50, limit.Token);
    }
}
