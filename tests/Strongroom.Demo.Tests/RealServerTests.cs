using Spectre.Console;
using Strongroom.Server;

namespace Strongroom.Demo.Tests;

/// <summary>The demo as users run it, small: nothing is a fake.</summary>
public sealed class RealServerTests : IDisposable
{
    private readonly TempFolder folder = new();

    [Fact]
    public async Task The_story_is_proven_against_the_real_server_twice_in_one_folder()
    {
        // A disk of no round size: what comes back is longer, and only by zeros.
        var own = folder.File("own.img");
        var bytes = new byte[5 * 1024 * 1024 + 1000];
        new SampleContent(4).FillRandom(bytes.AsSpan(700_000));
        await File.WriteAllBytesAsync(own, bytes, TestContext.Current.CancellationToken);
        var options = new DemoOptions { SizeMiB = 64, DataFolder = folder.File("data"), DiskFile = own };

        foreach (var group in (string[])["demo", "demo2"])
        {
            var (code, output) = await RunAsync(options);

            Assert.True(code == DemoCommand.Proven, output);
            Assert.Contains("Proven: all 6 restored disks of 2 machines", output, StringComparison.Ordinal);
            Assert.Contains($"Create a resource group: {group} ", output, StringComparison.Ordinal);
            // The server reports what it did; a dash would mean that it no longer does.
            var second = output.Split('\n').Single(line => line.Contains("web1, second backup", StringComparison.Ordinal));
            Assert.DoesNotContain("-", second, StringComparison.Ordinal);
        }

        Assert.Equal(bytes, await File.ReadAllBytesAsync(own, TestContext.Current.CancellationToken));
    }

    public void Dispose() => folder.Dispose();

    private static async Task<(int Code, string Output)> RunAsync(DemoOptions options)
    {
        using var output = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(output),
        });
        var code = await DemoCommand.RunAsync(
            options, DemoServer.StartAsync, console, TimeProvider.System, TestContext.Current.CancellationToken);
        return (code, output.ToString());
    }
}
