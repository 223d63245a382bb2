using Strongroom.Backup.Machines;
using Strongroom.Libvirt.Guests;
using Strongroom.Libvirt.Machines;

namespace Strongroom.Libvirt.Restores;

/// <summary>Machines that were restored boot.</summary>
public sealed class BootTests
{
    private static readonly HostRun Run = new(Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e"), 1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_restored_machine_is_started_and_reaches_its_login_prompt_beside_the_old_one()
    {
        var guest = await LiveGuest.FindAsync(Token);
        await using var lab = await RestoreLab.StartAsync(Token);
        lab.Host = lab.Host with { StartsRestoredMachines = true };
        var original = await LiveMachine.DefineAsync(lab.Libvirtd, guest, new("web1") { Mac = "52:54:00:12:34:56" }, Token);
        var source = await lab.BackedUpAsync("web1", Token);
        await original.StartAsync(Token);
        await using (var restore = await lab.NewRestorer().CreateAsync(RestoreLab.Wanted(source, "web2", Run), Run, Token))
        {
            await using (var writer = await restore.CreateDiskAsync(source.Disks[0], Token))
            {
                await writer.WriteAsync(0, await File.ReadAllBytesAsync(guest.BootDisk, Token), Token);
                await writer.FinishAsync(Token);
            }

            await restore.CommitAsync(Token);
            Assert.Empty(restore.Notes);
        }

        var restored = await LiveMachine.FindAsync(lab.Libvirtd, "web2", Token);
        await restored.Agent.WaitAsync(Token);
        await LoginPrompt.WaitAsync(restored, "restored-machine-login", Token);
        var mac = (await restored.RunAsync("cat /sys/class/net/eth0/address", Token)).StandardOutput.Trim();
        Assert.NotEqual("52:54:00:12:34:56", mac);
        Assert.Equal("running", await original.StateAsync(Token));
    }
}
