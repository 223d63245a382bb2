namespace Strongroom.Libvirt.Guests;

/// <summary>
/// The disk that live machines boot: Debian's kernel, busybox, QEMU's guest agent, a login prompt on the screen and on the
/// serial port, and an ext4 file system mounted at /data. live-guest.sh makes it once.
/// </summary>
/// <param name="BootDisk">A raw file of 256 MiB; not to be written to.</param>
internal sealed record LiveGuest(string BootDisk)
{
    /// <summary>Finds it; where it is not there the test is skipped, or fails where peers are required.</summary>
    public static async Task<LiveGuest> FindAsync(CancellationToken cancellationToken)
    {
        var script = Path.Combine(Repository.Root, "tests", "Strongroom.Libvirt", "Guests", "live-guest.sh");
        var found = await CommandResult.RunAsync("bash", [script, "path"], null, cancellationToken);
        if (found.ExitCode != 0)
            Peer.Missing("There is no live guest: tests/Strongroom.Clients/Guests/guest.sh prepare and then tests/Strongroom.Libvirt/Guests/live-guest.sh prepare make it.");
        return new(Path.Combine(found.StandardOutput.Trim(), "boot.raw"));
    }
}
