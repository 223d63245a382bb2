namespace Strongroom.Cli.Tests.Store;

/// <summary>Backups that are killed, and run again: what was in whole packs is not stored a second time.</summary>
public sealed class InterruptionTests
{
    private const int PackBytes = 32 << 20;

    [Theory]
    [InlineData("tree")]
    [InlineData("stream")]
    public async Task What_a_killed_backup_of_files_or_a_stream_had_stored_is_found_again(string kind)
    {
        using var lab = await StoreLab.WithVaultAsync();
        Directory.CreateDirectory(lab["folder"]);
        var random = new Random(7);
        var content = new byte[4 * PackBytes];
        random.NextBytes(content);
        for (var i = 0; i < 64; i++)
            await File.WriteAllBytesAsync(Path.Combine(lab["folder"], $"{i:d2}"), content[(i * 2 << 20)..((i + 1) * 2 << 20)], TestContext.Current.CancellationToken);
        string[] backup = kind == "tree" ? ["backup", lab.Vault, "--tree", lab["folder"]] : ["backup", lab.Vault, "--stdin"];

        // So slow that it is at work when its first pack is seen.
        using (var process = lab.Start([.. backup, "--limit-rate", "40M"]))
        {
            var feeding = kind == "stream" ? FeedAsync(process, content) : Task.CompletedTask;
            while (PacksOf(lab).Length == 0 && !process.HasExited)
                await Task.Delay(20, TestContext.Current.CancellationToken);
            Assert.NotEqual(0, await StoreLab.SignalAsync(process, "KILL"));
            await feeding;
        }

        var stored = PacksOf(lab).Sum(pack => pack.Length);
        Assert.Empty((await lab.DoAsync("list", lab.Vault))["snapshots"]!.AsArray());
        var run = await lab.RunAsync(kind == "stream" ? content : [], [.. backup, "--output", "json"]);
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(content.Length, (long)run.Json["bytesTotal"]!);

        // All but the frames' heads and the packs' directories.
        Assert.InRange((long)run.Json["bytesDeduplicated"]!, stored * 99 / 100, stored);
        Assert.Equal(content.Length, (long)run.Json["bytesDeduplicated"]! + (long)run.Json["bytesNew"]!);
        Assert.True((bool)(await lab.DoAsync("verify", lab.Vault, "--read-data"))["healthy"]!);
    }

    private static FileInfo[] PacksOf(StoreLab lab) =>
        Directory.Exists(Path.Combine(lab.Vault, "packs")) ? new DirectoryInfo(Path.Combine(lab.Vault, "packs")).GetFiles("*", SearchOption.AllDirectories) : [];

    private static async Task FeedAsync(System.Diagnostics.Process process, byte[] content)
    {
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(content);
        }
        catch (IOException)
        {
            // It was killed.
        }
    }
}
