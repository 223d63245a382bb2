using System.Diagnostics;

namespace Strongroom.Cli.Tests.Store;

/// <summary>Backups of block devices. Needs root and a free loop device; skipped without.</summary>
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
