using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Strongroom.Backup.FileRecovery.Browsing;

namespace Strongroom.Workloads.VirtualMachines.Files;

/// <summary>The kernel and disk that all readers of a machine start: made by a user who reads nothing else, so that no reader can change what the next one runs.</summary>
/// <remarks>
/// A fixed appliance (libguestfs-make-fixed-appliance(1)): kernel, initrd, root and README.fixed in a folder, which libguestfs takes as it is.
/// supermin(1) makes it of what the machine has installed, and leaves it where that did not change.
/// </remarks>
internal static class ReaderAppliance
{
    // What supermin of the operator's machine may need to be told.
    private static readonly string[] s_passed = ["SUPERMIN_KERNEL", "SUPERMIN_KERNEL_VERSION", "SUPERMIN_MODULES"];

    /// <summary>Makes it, unless it is there and good.</summary>
    /// <param name="machine">A folder of root's.</param>
    /// <returns>Its folder; null where libguestfs is not installed where it is looked for.</returns>
    /// <exception cref="FileBrowsingException">NotInstalled: supermin, a kernel or room is missing.</exception>
    public static async Task<string?> MakeAsync(string machine, TimeSpan limit)
    {
        var processor = RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "aarch64" : "x86_64";
        if (Parts(processor) is not { } parts) return null;
        var folder = Path.Combine(machine, "appliance");
        ReaderPaths.MakeFolder(folder);
        ReaderPaths.Give(folder, ReaderUser.Maker);
        var made = Path.Combine(folder, "appliance.d");
        var user = ReaderUser.Maker.ToString(CultureInfo.InvariantCulture);
        await RunAsync(folder, [
            "--reuid", user, "--regid", user, "--clear-groups", "--no-new-privs", "--", "/bin/sh", "-c", "umask 022 && supermin \"$@\" && : > \"$0/README.fixed\"", made,
            "--build", "--if-newer", "--lock", Path.Combine(folder, "lock"), "--copy-kernel", "-f", "ext2", "--host-cpu", processor, parts, "-o", made,
        ], limit);
        return made;
    }

    private static string? Parts(string processor) =>
        new[] { $"/usr/lib/{processor}-linux-gnu", "/usr/lib64", "/usr/lib" }.Select(static folder => Path.Combine(folder, "guestfs", "supermin.d")).FirstOrDefault(Directory.Exists);

    private static async Task RunAsync(string folder, IEnumerable<string> arguments, TimeSpan limit)
    {
        var start = new ProcessStartInfo("/usr/bin/setpriv", arguments) { WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Clear();
        foreach (var name in s_passed)
        {
            if (Environment.GetEnvironmentVariable(name) is { } value) start.Environment[name] = value;
        }

        start.Environment["PATH"] = ReaderProcess.ProgramPath;
        start.Environment["HOME"] = start.Environment["TMPDIR"] = folder;
        using var process = new Process { StartInfo = start };
        using var clock = new CancellationTokenSource(limit);
        try
        {
            process.Start();
            process.StandardInput.Close();
            var (said, ignored) = (process.StandardError.ReadToEndAsync(clock.Token), process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, clock.Token));
            await process.WaitForExitAsync(clock.Token);
            await ignored;
            if (process.ExitCode != 0) throw NotMade(ReaderAnswers.Plain(await said, 300));
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw NotMade(e.Message);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw NotMade("it took too long");
        }
    }

    private static FileBrowsingException NotMade(string why) => new(FileBrowsingFault.NotInstalled, "The appliance of libguestfs cannot be made: " + why);
}
