
namespace Strongroom.Clients.Guests;

/// <summary>What a guest is started from: a kernel, a small file system of its modules, and Debian. guest.sh makes it once.</summary>
internal sealed record GuestImage(string Folder)
{
    public string Kernel => Path.Combine(Folder, "vmlinuz");

    public string Modules => Path.Combine(Folder, "initrd");

    public string Root => Path.Combine(Folder, "root.ext4");

    /// <summary>Finds it; where it is not there the test is skipped, or fails where peers are required.</summary>
    public static async Task<GuestImage> FindAsync(CancellationToken cancellationToken)
    {
        Peer.RequireOrSkip("qemu-system-x86_64", "qemu-system-x86");
        var found = await CommandResult.RunAsync("bash", [Path.Combine(Repository.GuestFolder, "guest.sh"), "path"], null, cancellationToken);
        if (found.ExitCode != 0)
            Peer.Missing("There is no guest: tests/Strongroom.Clients/Guests/guest.sh prepare makes it (root, mmdebstrap).");
        return new(found.StandardOutput.Trim());
    }
}
