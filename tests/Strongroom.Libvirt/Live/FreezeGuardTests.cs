using System.Diagnostics;

namespace Strongroom.Libvirt.Live;

/// <summary>The server's own guard, on libvirt's test driver: it needs no libvirtd.</summary>
public sealed class FreezeGuardTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    [InlineData("HUP")]
    [InlineData("QUIT")]
    public async Task A_signal_does_not_end_it(string signal)
    {
        using var guard = Process.Start(new ProcessStartInfo(Repository.ServerExecutable, ["guard-freeze"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        try
        {
            foreach (var line in (string[])["test:///default", "", "", "6695eb01-f6a4-8304-79aa-97f2502e193f", "1", "60000"])
                await guard.StandardInput.WriteLineAsync(line);
            await guard.StandardInput.FlushAsync(Cancellation);
            Assert.Equal("ready", await guard.StandardOutput.ReadLineAsync(Cancellation));
            (await CommandResult.RunAsync("/bin/kill", [$"-{signal}", $"{guard.Id}"], null, Cancellation)).Succeeded();
            Assert.False(guard.WaitForExit(TimeSpan.FromSeconds(1)));
            await guard.StandardInput.WriteLineAsync("thawed");
            guard.StandardInput.Close();
            await guard.WaitForExitAsync(Cancellation);
            Assert.Equal(0, guard.ExitCode);
        }
        finally
        {
            if (!guard.HasExited) guard.Kill();
        }
    }
}
