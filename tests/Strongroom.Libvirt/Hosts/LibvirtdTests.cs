namespace Strongroom.Libvirt.Hosts;

/// <summary>The libvirtd that other tests build on.</summary>
public sealed class LibvirtdTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_run_at_once_and_know_nothing_of_each_other()
    {
        await using var one = await Libvirtd.StartAsync(Cancellation);
        await using var other = await Libvirtd.StartAsync(Cancellation);
        await DefineAsync(one, "alpha");
        await DefineAsync(other, "beta");
        Assert.Equal("alpha", await NamesAsync(one));
        Assert.Equal("beta", await NamesAsync(other));
        Assert.DoesNotContain(one.Folders.Root, await File.ReadAllTextAsync("/proc/self/mounts", Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Machines_outlive_a_kill_and_a_stop_of_libvirtd_but_not_the_test()
    {
        var libvirtd = await Libvirtd.StartAsync(Cancellation);
        int qemu;
        try
        {
            await DefineAsync(libvirtd, "alpha");
            (await libvirtd.VirshAsync(["start", "alpha"], Cancellation)).Succeeded();
            qemu = libvirtd.FindQemu("alpha") ?? 0;
            Assert.True(Processes.Runs(qemu));
            foreach (var end in (Func<Task>[])[libvirtd.KillAsync, libvirtd.StopAsync])
            {
                var before = libvirtd.ProcessId;
                await end();
                Assert.False(Processes.Runs(before));
                Assert.NotEqual(0, (await libvirtd.VirshAsync(["list"], Cancellation)).ExitCode);
                await libvirtd.StartAgainAsync(Cancellation);
                Assert.Equal("running", (await libvirtd.VirshAsync(["domstate", "alpha"], Cancellation)).Succeeded().StandardOutput.Trim());
            }
            Assert.Contains(qemu, libvirtd.ProcessIds);
        }
        finally
        {
            await libvirtd.DisposeAsync();
        }
        Assert.False(Processes.Runs(qemu));
        Assert.Empty(libvirtd.ProcessIds);
    }

    [Fact]
    public async Task A_file_becomes_a_block_device_and_is_given_up_again()
    {
        string file;
        await using (var libvirtd = await Libvirtd.StartAsync(Cancellation))
        {
            file = Path.Combine(libvirtd.Folders.Disks, "disk.raw");
            await File.WriteAllBytesAsync(file, new byte[1 << 20], Cancellation);
            var device = await libvirtd.AttachLoopDeviceAsync(file, Cancellation);
            Assert.Contains(device, await BackingFilesAsync(), StringComparison.Ordinal);
            Assert.Contains(file, await BackingFilesAsync(), StringComparison.Ordinal);
        }
        Assert.DoesNotContain(file, await BackingFilesAsync(), StringComparison.Ordinal);

        // By the file: the device may be another's by now.
        static async Task<string> BackingFilesAsync() =>
            (await CommandResult.RunAsync("losetup", ["--list", "--noheadings", "--output", "NAME,BACK-FILE"], null, Cancellation)).Succeeded().StandardOutput;
    }

    private static async Task DefineAsync(Libvirtd libvirtd, string name)
    {
        var file = Path.Combine(libvirtd.Folders.Root, $"{name}.xml");
        await File.WriteAllTextAsync(file, $"<domain type='qemu'><name>{name}</name><memory unit='MiB'>32</memory><os><type arch='x86_64'>hvm</type></os></domain>", Cancellation);
        (await libvirtd.VirshAsync(["define", file], Cancellation)).Succeeded();
    }

    private static async Task<string> NamesAsync(Libvirtd libvirtd) =>
        (await libvirtd.VirshAsync(["list", "--all", "--name"], Cancellation)).Succeeded().StandardOutput.Trim();
}
