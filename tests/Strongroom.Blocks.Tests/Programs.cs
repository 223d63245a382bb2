using System.Diagnostics;

namespace Strongroom.Blocks.Tests;

/// <summary>Runs the programs that serve as independent peers.</summary>
public static class Programs
{
    public static void RequireQemu()
    {
        if (!File.Exists("/usr/bin/qemu-nbd") || !File.Exists("/usr/bin/qemu-img"))
            Assert.Skip("qemu-nbd is not installed (Debian package qemu-utils)");
    }

    /// <summary>Skips the test when a program is missing, or fails it where STRONGROOM_REQUIRE_PEERS=1 is set.</summary>
    public static void RequirePeer(string program)
    {
        if (!File.Exists(Path.Combine("/usr/bin", program)))
            Missing(program);
    }

    public static void Missing(string what)
    {
        if (Environment.GetEnvironmentVariable("STRONGROOM_REQUIRE_PEERS") == "1")
            Assert.Fail($"{what} is not installed, and all peers are required.");
        Assert.Skip($"{what} is not installed");
    }

    public static async Task<(int ExitCode, string Output)> TryRunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await error);
    }

    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var (exitCode, output) = await TryRunAsync(program, arguments);
        Assert.True(exitCode == 0, $"{program} {string.Join(' ', arguments)}: exit code {exitCode}: {output}");
        return output;
    }
}
