namespace Strongroom.Cli.Tests.Store;

public sealed class StreamTests
{
    private const int MiB = 1 << 20;

    [Fact]
    public async Task Standard_input_comes_back_and_only_what_is_new_is_stored()
    {
        using var lab = await StoreLab.WithVaultAsync();
        var content = new byte[10 * MiB];
        new Random(1).NextBytes(content);
        var first = await lab.RunAsync(content, "backup", lab.Vault, "--stdin", "--name", "dump.sql", "--output", "json");
        Assert.Equal(0, first.ExitCode);
        Assert.Equal("dump.sql", (string)first.Json["item"]!);
        Assert.Equal(content.Length, (long)first.Json["bytesTotal"]!);

        // Bytes put in at the front move all others; content-defined chunks find them again.
        byte[] longer = [.. "more"u8, .. content];
        var second = await lab.RunAsync(longer, "backup", lab.Vault, "--stdin", "--name", "dump.sql", "--output", "json");
        Assert.Equal((string)first.Json["snapshot"]!, (string)second.Json["parent"]!);
        Assert.InRange((long)second.Json["bytesStored"]!, 1, 5 * MiB);

        await lab.DoAsync("restore", lab.Vault, "--snapshot", "latest", "--to", lab["back"]);
        Assert.Equal(longer, await File.ReadAllBytesAsync(lab["back"], TestContext.Current.CancellationToken));
        var part = await lab.RunAsync("cat", lab.Vault, "--snapshot", "latest", "--length", "4");
        Assert.Equal("more", part.Output);
    }

    [Fact]
    public async Task Ctrl_C_ends_a_wait_for_input()
    {
        using var lab = await StoreLab.WithVaultAsync();
        using var process = lab.Start("backup", lab.Vault, "--stdin");
        await process.StandardInput.BaseStream.WriteAsync(new byte[MiB], TestContext.Current.CancellationToken);
        await process.StandardInput.BaseStream.FlushAsync(TestContext.Current.CancellationToken);
        Assert.Equal(130, await StoreLab.SignalAsync(process, "INT").WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
        Assert.Empty((await lab.DoAsync("list", lab.Vault))["snapshots"]!.AsArray());
    }

    [Fact]
    public async Task One_thing_is_backed_up_at_a_time()
    {
        using var lab = await StoreLab.WithVaultAsync();
        await lab.FailAsync(2, "backup", lab.Vault);
        await lab.FailAsync(2, "backup", lab.Vault, "--stdin", "--tree", lab.Vault);
    }
}
