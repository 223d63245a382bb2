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

    [Fact]
    public async Task What_is_there_already_is_treated_as_the_option_says()
    {
        using var lab = await StoreLab.WithVaultAsync();
        Fill(lab);
        await lab.DoAsync("backup", lab.Vault, "--tree", lab["home"]);
        Directory.CreateDirectory(lab["back/notes"]);
        IEnumerable<string> Notes() => Directory.EnumerateFiles(lab["back/notes"]).Select(File.ReadAllText);
        string[] restore = ["restore", lab.Vault, "--snapshot", "latest"];
        File.WriteAllText(lab["back/notes/a.txt"], "mine");

        var conflict = await lab.FailAsync(1, [.. restore, "--to", lab["back"], "--on-conflict", "fail"]);
        Assert.Contains("a.txt", conflict.Message, StringComparison.Ordinal);
        Assert.Equal("mine", Assert.Single(Notes()));
        Assert.False(File.Exists(lab["back/big"]));

        var skipped = await lab.DoAsync([.. restore, "--to", lab["back"], "--on-conflict", "skip"]);
        Assert.Equal(1, (long)skipped["filesSkipped"]!);
        Assert.Equal("mine", Assert.Single(Notes()));
        Assert.True(File.Exists(lab["back/big"]));

        await lab.DoAsync([.. restore, "--path", "notes", "--on-conflict", "copy", "--to", lab["back/notes"]]);
        Assert.Equal(["a note", "mine"], Notes().Order(StringComparer.Ordinal));

        await lab.DoAsync([.. restore, "--to", lab["back"], "--on-conflict", "overwrite"]);
        Assert.Equal(["a note", "a note"], Notes());
        File.WriteAllText(lab["back/notes/a.txt"], "mine again");
        await lab.DoAsync([.. restore, "--to", lab["back"], "--on-conflict", "overwrite", "--overwrite"]);
        Assert.Equal(["a note", "a note"], Notes());
    }

    [Theory]
    [InlineData("sometimes")]
    [InlineData("Overwrite")]
    [InlineData("")]
    [InlineData("skip", "--overwrite")]
    public async Task A_rule_that_there_is_not_or_two_of_them_are_refused(params string[] options)
    {
        using var lab = await StoreLab.WithVaultAsync();
        Fill(lab);
        await lab.DoAsync("backup", lab.Vault, "--tree", lab["home"]);
        Assert.Contains("--on-conflict", (await lab.FailAsync(2, ["restore", lab.Vault, "--snapshot", "latest", "--to", lab["back"], "--on-conflict", .. options])).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(lab["back"]));
    }

    [Fact]
    public async Task A_rule_for_folders_is_refused_for_a_disk()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("disk.raw", 1 << 20, seed: 4);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["disk.raw"]);
        Assert.Contains("is for folders", (await lab.FailAsync(2, "restore", lab.Vault, "--snapshot", "latest", "--to", lab["back.raw"], "--on-conflict", "copy")).Message, StringComparison.Ordinal);
        Assert.False(File.Exists(lab["back.raw"]));
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
