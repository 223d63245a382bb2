using System.ComponentModel;
using System.Diagnostics;
using Strongroom.Client;

namespace Strongroom.Demo;

/// <summary>A program of the machine, such as mke2fs or qemu-img.</summary>
internal static class ExternalTool
{
    // Users without administrators' folders in their PATH still have these programs.
    private static readonly string[] AdministratorFolders = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

    /// <summary>The path of a program, or null when the machine does not have it.</summary>
    public static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Concat(AdministratorFolders)
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);

    /// <summary>Runs a program to its end; it is killed when the token ends.</summary>
    /// <exception cref="DemoException">It failed, did not start, or ran longer than <paramref name="limit"/>.</exception>
    public static Task RunAsync(
        string program, IReadOnlyList<string> arguments, TimeSpan limit, TimeProvider time, CancellationToken cancellationToken)
    {
        var name = Path.GetFileName(program);
        return TimeLimits.WithinAsync(limit, $"{name} did not end", time, async limited =>
        {
            using var process = Start(program, arguments);
            try
            {
                process.StandardInput.Close();
                var output = process.StandardOutput.ReadToEndAsync(limited);
                var errors = process.StandardError.ReadToEndAsync(limited);
                await process.WaitForExitAsync(limited);
                await output;
                if (process.ExitCode != 0)
                    throw new DemoException($"{name} ended with {process.ExitCode}: {(await errors).Trim()}");
                return true;
            }
            finally
            {
                if (!process.HasExited)
                    process.Kill(entireProcessTree: true);
            }
        }, cancellationToken);
    }

    private static Process Start(string program, IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            return Process.Start(start) ?? throw new DemoException($"{program} did not start.");
        }
        catch (Win32Exception e)
        {
            throw new DemoException($"{program} did not start: {e.Message}", e);
        }
    }
}
