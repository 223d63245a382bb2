using System.Diagnostics;

namespace Strongroom.Cli.Tests.Store;

/// <summary>Backups of block devices, and restores to them. Needs root and a free loop device; skipped without.</summary>
public sealed class DeviceTests
{
    [Fact]
    public async Task A_device_is_backed_up_as_it_is_unless_something_uses_it()
    {
        var losetup = Programs.RequireOrSkip("losetup", "mount");
        using var lab = await StoreLab.WithVaultAsync();
        var content = lab.WriteDisk("a.raw", (5 << 20) + 512, seed: 1);

        // What a guest wrote to a device says nothing of the device's format.
        ((byte[])[0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 3]).CopyTo(content, 0);
        await File.WriteAllBytesAsync(lab["a.raw"], content, TestContext.Current.CancellationToken);
        var device = await AttachAsync(losetup, lab["a.raw"]);
        try
        {
            var link = lab["disk"];
            File.CreateSymbolicLink(link, device);
            var report = await lab.DoAsync("backup", lab.Vault, "--image", link);
            Assert.Equal(content.Length, (long)report["bytesTotal"]!);
            await lab.DoAsync("restore", lab.Vault, "--snapshot", "latest", "--to", lab["back.raw"]);
            Assert.Equal(content, await File.ReadAllBytesAsync(lab["back.raw"], TestContext.Current.CancellationToken));
            Assert.Equal(0, (long)(await lab.DoAsync("backup", lab.Vault, "--image", link))["bytesNew"]!);
            await lab.FailAsync(2, "backup", lab.Vault, "--image", link, "--format", "qcow2");

            // Whoever else holds the device, as a mount does.
            using (File.OpenHandle(device, FileMode.Open, FileAccess.Read, FileShare.ReadWrite))
                await lab.DoAsync("backup", lab.Vault, "--image", link);
            using var mounted = await ExclusiveHolder.StartAsync(device);
            Assert.Contains("in use", (await lab.FailAsync(1, "backup", lab.Vault, "--image", link)).Message, StringComparison.Ordinal);
            await lab.DoAsync("backup", lab.Vault, "--image", link, "--allow-changing");
        }
        finally
        {
            await Programs.RunAsync(losetup, "-d", device);
        }
    }

    [Fact]
    public async Task A_disk_is_restored_over_what_a_device_holds_only_when_that_is_meant_and_nothing_uses_it()
    {
        var losetup = Programs.RequireOrSkip("losetup", "mount");
        using var lab = await StoreLab.WithVaultAsync();
        var content = lab.WriteDisk("a.raw", (5 << 20) + 512, seed: 1);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        var before = new byte[6 << 20];
        before.AsSpan().Fill(0xaa);
        await File.WriteAllBytesAsync(lab["device"], before, TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(lab["short"], before[..(5 << 20)], TestContext.Current.CancellationToken);
        var device = await AttachAsync(losetup, lab["device"]);
        var tooShort = await AttachAsync(losetup, lab["short"]);
        try
        {
            string[] restore = ["restore", lab.Vault, "--snapshot", "latest", "--to"];
            var link = lab["disk"];
            File.CreateSymbolicLink(link, device);
            Assert.Contains("--overwrite", (await lab.FailAsync(2, [.. restore, link])).Message, StringComparison.Ordinal);
            Assert.Contains("too small", (await lab.FailAsync(2, [.. restore, tooShort, "--overwrite"])).Message, StringComparison.Ordinal);
            using (await ExclusiveHolder.StartAsync(device))
                Assert.Contains("in use", (await lab.FailAsync(1, [.. restore, link, "--overwrite"])).Message, StringComparison.Ordinal);
            Assert.Equal(before, await File.ReadAllBytesAsync(device, TestContext.Current.CancellationToken));
            Assert.Equal(before[..(5 << 20)], await File.ReadAllBytesAsync(tooShort, TestContext.Current.CancellationToken));

            Assert.Equal(content.Length, (long)(await lab.DoAsync([.. restore, link, "--overwrite"]))["bytesTotal"]!);
            content.CopyTo(before, 0);
            Assert.Equal(before, await File.ReadAllBytesAsync(device, TestContext.Current.CancellationToken));
            Assert.Equal(device, File.ResolveLinkTarget(link, returnFinalTarget: true)!.FullName);

            // A stream, too: whoever backed a disk up through a pipe.
            await lab.RunAsync(content, "backup", lab.Vault, "--stdin", "--name", "piped");
            await File.WriteAllBytesAsync(device, new byte[6 << 20], TestContext.Current.CancellationToken);
            await lab.DoAsync([.. restore, device, "--overwrite"]);
            Assert.Equal(content, (await File.ReadAllBytesAsync(device, TestContext.Current.CancellationToken))[..content.Length]);
        }
        finally
        {
            await Programs.RunAsync(losetup, "-d", device, tooShort);
        }
    }

    private static async Task<string> AttachAsync(string losetup, string path)
    {
        using var process = Process.Start(new ProcessStartInfo(losetup, ["--show", "-f", path]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var device = (await process.StandardOutput.ReadToEndAsync()).Trim();
        await process.WaitForExitAsync();
        Assert.SkipWhen(process.ExitCode != 0, "No loop device can be made here (root is needed).");
        return device;
    }

    /// <summary>A process that has the device open with O_EXCL.</summary>
    private sealed class ExclusiveHolder(Process process) : IDisposable
    {
        public static async Task<ExclusiveHolder> StartAsync(string device)
        {
            var python = Programs.RequireOrSkip("python3", "python3");
            var start = new ProcessStartInfo(python, ["-c", "import os, sys; os.open(sys.argv[1], os.O_RDONLY | os.O_EXCL); print('held', flush=True); sys.stdin.read()", device])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            };
            var process = Process.Start(start)!;
            Assert.Equal("held", await process.StandardOutput.ReadLineAsync());
            return new(process);
        }

        public void Dispose()
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
    }
}
