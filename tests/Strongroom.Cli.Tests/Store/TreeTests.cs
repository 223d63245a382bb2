namespace Strongroom.Cli.Tests.Store;

public sealed class TreeTests
{
    [Fact]
    public async Task A_folder_comes_back_and_what_did_not_change_is_not_read_again()
    {
        using var lab = await StoreLab.WithVaultAsync();
        Fill(lab);
        var first = await lab.DoAsync("backup", lab.Vault, "--tree", lab["home"] + "/", "--exclude", "*.tmp");
        Assert.Equal(lab["home"], (string)first["item"]!);
        Assert.Equal(0, (long)first["problemCount"]!);

        await lab.DoAsync("restore", lab.Vault, "--snapshot", "latest", "--to", lab["back"]);
        Assert.Equal("a note", await File.ReadAllTextAsync(lab["back/notes/a.txt"], TestContext.Current.CancellationToken));
        Assert.Equal("notes/a.txt", new FileInfo(lab["back/link"]).LinkTarget);
        Assert.Equal(await File.ReadAllBytesAsync(lab["home/big"], TestContext.Current.CancellationToken), await File.ReadAllBytesAsync(lab["back/big"], TestContext.Current.CancellationToken));
        Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(lab["back/notes/a.txt"]));
        Assert.False(File.Exists(lab["back/junk.tmp"]));

        // A second restore to the same place replaces nothing unasked.
        Assert.Contains("--overwrite", (await lab.FailAsync(2, "restore", lab.Vault, "--snapshot", "latest", "--to", lab["back"])).Message, StringComparison.Ordinal);
        await lab.DoAsync("restore", lab.Vault, "--snapshot", "latest", "--to", lab["back"], "--overwrite");
        var second = await lab.DoAsync("backup", lab.Vault, "--tree", lab["home"]);
        Assert.Equal((string)first["snapshot"]!, (string)second["parent"]!);
        Assert.InRange((long)second["bytesStored"]!, 1, 64 * 1024);
    }

    [Fact]
    public async Task A_single_file_is_listed_and_written_out()
    {
        using var lab = await StoreLab.WithVaultAsync();
        Fill(lab);
        await lab.DoAsync("backup", lab.Vault, "--tree", lab["home"]);
        var listed = await lab.DoAsync("ls", lab.Vault, "--snapshot", "latest", "--path", "/notes");
        var entry = Assert.Single(listed["entries"]!.AsArray())!;
        Assert.Equal(("a.txt", "File", 6L), ((string)entry["name"]!, (string)entry["kind"]!, (long)entry["lengthBytes"]!));
        Assert.Equal("note", (await lab.RunAsync("cat", lab.Vault, "--snapshot", "latest", "--path", "notes/a.txt", "--offset", "2")).Output);
        Assert.Equal(2, (await lab.RunAsync("cat", lab.Vault, "--snapshot", "latest")).ExitCode);
        Assert.Equal("NotFound", (await lab.FailAsync(1, "ls", lab.Vault, "--snapshot", "latest", "--path", "nowhere")).Code);
        var some = await lab.DoAsync("restore", lab.Vault, "--snapshot", "latest", "--path", "notes", "--to", lab["some"]);
        Assert.Equal(1, (long)some["files"]!);
        Assert.True(File.Exists(lab["some/a.txt"]));
    }

    private static void Fill(StoreLab lab)
    {
        Directory.CreateDirectory(lab["home/notes"]);
        File.WriteAllText(lab["home/notes/a.txt"], "a note");
        File.SetUnixFileMode(lab["home/notes/a.txt"], UnixFileMode.UserRead);
        File.WriteAllText(lab["home/junk.tmp"], "junk");
        lab.WriteDisk("home/big", 1 << 20, seed: 3);
        File.CreateSymbolicLink(lab["home/link"], "notes/a.txt");
    }
}
