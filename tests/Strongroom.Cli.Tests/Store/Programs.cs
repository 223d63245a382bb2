using System.Diagnostics;

namespace Strongroom.Cli.Tests.Store;

/// <summary>Programs of others that the command is tried with. A missing one skips its tests, or fails them where STRONGROOM_REQUIRE_PEERS=1 is set.</summary>
internal static class Programs
{
    public static string RequireOrSkip(string program, string package)
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Where(folder => folder.Length > 0)
            .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
        if (path is null && Environment.GetEnvironmentVariable("STRONGROOM_REQUIRE_PEERS") == "1")
            Assert.Fail($"{program} is not installed: install the package {package}.");
        Assert.SkipWhen(path is null, $"{program} is not installed: install the package {package}.");
        return path!;
    }

    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: exit code {process.ExitCode}: {output}{await error}");
        return output;
    }
}
