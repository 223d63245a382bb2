using Microsoft.Extensions.Logging.Abstractions;
using Strongroom.Blocks;
using Strongroom.Libvirt.Guests;
using Strongroom.Libvirt.Machines;
using Strongroom.Libvirt.Restores;
using Strongroom.Workloads.VirtualMachines.Libvirt.Verification;

namespace Strongroom.Libvirt.Verification;

/// <summary>A host whose libvirt dies while a recovery point is booted on it. It forgets that the machine was to end with its connection.</summary>
public sealed class LostHostTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 1_800_000)]
    public async Task A_machine_that_is_booted_for_a_verification_does_not_outlive_it()
    {
        var guest = await LiveGuest.FindAsync(Token);
        await using var lab = await RestoreLab.StartAsync(Token);
        await LiveMachine.DefineAsync(lab.Libvirtd, guest, new("web1"), Token);
        var source = await lab.BackedUpAsync("web1", Token);
        using var folder = new TempFolder();
        // Nothing to boot from: it stays as it is until it is given up.
        var disk = folder.Combine("empty.raw");
        await File.WriteAllBytesAsync(disk, new byte[1 << 20], Token);
        await using var content = await DiskImage.OpenAsync(DiskFile.OpenRegular(disk), new() { Format = DiskFormat.Raw }, Token);
        var verifier = new LibvirtVerifier(lab, lab.Fabric, folder.Combine("verification"), TimeProvider.System, NullLogger<LibvirtVerifier>.Instance);
        var verifying = verifier.VerifyAsync(source, [new(source.Disks[0], content)], new(TimeSpan.FromMinutes(4), null, null), new(Guid.NewGuid(), 1), Token);
        // web1 is off.
        while ((await NamesAsync(lab, "--state-running")).Length == 0) await Task.Delay(100, Token);

        await lab.Libvirtd.KillAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => verifying);
        Assert.Contains(lab.Libvirtd.ProcessIds, id => File.Exists($"/proc/{id}/cmdline") && File.ReadAllText($"/proc/{id}/cmdline").Contains("strongroom-verify-", StringComparison.Ordinal));
        await lab.Libvirtd.StartAgainAsync(Token);

        while ((await NamesAsync(lab, "--all")).Length > 1) await Task.Delay(100, Token);
        Assert.Equal(["web1"], await NamesAsync(lab, "--all"));
    }

    private static async Task<string[]> NamesAsync(RestoreLab lab, string which) => (await lab.VirshAsync(Token, "list", which, "--name")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
