namespace Strongroom.Cli.Tests.Store;

public sealed class VaultTests
{
    [Fact]
    public async Task Init_makes_a_key_that_only_its_owner_reads_and_says_to_keep_a_copy()
    {
        using var lab = new StoreLab();
        var run = await lab.RunAsync("init", lab.Vault);
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("Keep a copy", run.Output, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(lab.KeyFile));

        // A second vault takes the key that is there.
        var key = await File.ReadAllTextAsync(lab.KeyFile);
        Assert.False((bool)(await lab.DoAsync("init", lab["other"]))["keyMade"]!);
        Assert.Equal(key, await File.ReadAllTextAsync(lab.KeyFile));
        Assert.Equal("AlreadyExists", (await lab.FailAsync(1, "init", lab.Vault)).Code);
    }

    [Fact]
    public async Task A_key_is_demanded_and_never_made_by_another_verb()
    {
        using var lab = await StoreLab.WithVaultAsync();
        Assert.Equal("WrongKey", (await lab.FailAsync(1, "list", lab.Vault, "--key-file", lab["nokey"])).Code);
        Assert.False(File.Exists(lab["nokey"]));

        await lab.DoAsync("init", lab["other"], "--key-file", lab["otherkey"]);
        Assert.Equal("WrongKey", (await lab.FailAsync(1, "list", lab.Vault, "--key-file", lab["otherkey"])).Code);
        lab.Environment["STRONGROOM_KEY_FILE"] = "";
        var (code, message) = await lab.FailAsync(2, "list", lab.Vault);
        Assert.Equal("Usage", code);
        Assert.Contains("--key-file", message, StringComparison.Ordinal);
        await lab.DoAsync("list", lab.Vault, "--key-file", lab.KeyFile);
    }

    [Fact]
    public async Task A_mistyped_vault_makes_nothing()
    {
        using var lab = await StoreLab.WithVaultAsync();
        Assert.Equal("NotFound", (await lab.FailAsync(1, "list", lab["valt"])).Code);
        Assert.False(Directory.Exists(lab["valt"]));
        await lab.FailAsync(2, "list", "gopher://somewhere/vault");
    }

    [Theory]
    [InlineData("list")]
    [InlineData("lists", "vault")]
    [InlineData("list", "vault", "--bogus")]
    [InlineData("restore", "vault", "--snapshot", "latest")]
    [InlineData("prune", "vault", "--keep-last", "-1")]
    [InlineData("prune", "vault", "--keep-last", "many")]
    public async Task A_wrong_command_line_ends_with_two_and_as_json_where_that_was_asked_for(params string[] arguments)
    {
        using var lab = await StoreLab.WithVaultAsync();
        Assert.Equal("Usage", (await lab.FailAsync(2, arguments)).Code);
    }

    [Theory]
    [InlineData("--immutability takes Off, Unlocked or Locked, not 'foo'.", "policy", "vault", "--immutability", "foo")]
    [InlineData("--soft-delete-days takes a whole number, not 'few'.", "policy", "vault", "--soft-delete-days", "few")]
    [InlineData("--format takes Auto, Raw, Qcow2 or Vhd, not 'vdi'.", "backup", "vault", "--image", "a", "--format", "vdi")]
    [InlineData("'strongroom store' knows no 'lists'.", "lists", "vault")]
    [InlineData("Say what 'strongroom store' shall do.")]
    [InlineData("Say what 'strongroom store key' shall do.", "key")]
    public async Task What_is_not_understood_is_said_in_one_sentence_and_what_would_be(string sentence, params string[] arguments)
    {
        using var lab = new StoreLab();
        var run = await lab.RunAsync(arguments);
        Assert.Equal(2, run.ExitCode);
        Assert.StartsWith($"strongroom: {sentence} See 'strongroom store", run.Error, StringComparison.Ordinal);
        Assert.Equal(1, run.Error.Count(letter => letter == '\n'));
        Assert.Empty(run.Output);
    }

    [Theory]
    [InlineData("strongroom: Say what 'strongroom' shall do. See 'strongroom --help'.")]
    [InlineData("strongroom: 'strongroom' knows no 'bakcup'. See 'strongroom --help'.", "bakcup")]
    public async Task The_program_without_a_command_that_it_knows_ends_like_one_of_its_commands(string sentence, params string[] arguments)
    {
        using var lab = new StoreLab();
        using var process = lab.StartProgram(arguments);
        var error = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal((2, sentence), (process.ExitCode, error.TrimEnd('\n')));
    }

    [Fact]
    public async Task Deleted_snapshots_go_and_their_room_comes_back()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 1 << 20, seed: 1);
        lab.WriteDisk("b.raw", 1 << 20, seed: 2);
        var a = (string)(await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]))["snapshot"]!;
        var b = (string)(await lab.DoAsync("backup", lab.Vault, "--image", lab["b.raw"]))["snapshot"]!;

        // One id is wrong: none is deleted.
        await lab.FailAsync(2, "delete", lab.Vault, a, "zebra");
        Assert.Equal(2, (await lab.DoAsync("list", lab.Vault))["snapshots"]!.AsArray().Count);
        await lab.DoAsync("delete", lab.Vault, a);
        var left = Assert.Single((await lab.DoAsync("list", lab.Vault))["snapshots"]!.AsArray());
        Assert.Equal(b, (string)left!["snapshot"]!);

        var before = (long)(await lab.DoAsync("stats", lab.Vault))["bytesStored"]!;
        var collected = await lab.DoAsync("gc", lab.Vault);
        var after = (long)(await lab.DoAsync("stats", lab.Vault))["bytesStored"]!;
        Assert.True((int)collected["packsDeleted"]! > 0);
        Assert.Equal(before - (long)collected["bytesDeleted"]!, after);
        Assert.True((bool)(await lab.DoAsync("verify", lab.Vault, "--read-data"))["healthy"]!);
    }

    [Fact]
    public async Task Prune_keeps_what_the_rules_say_item_by_item()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 1 << 18, seed: 1);
        List<string> web = [];
        for (var i = 0; i < 3; i++)
            web.Add((string)(await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"], "--item", "web"))["snapshot"]!);
        var db = (string)(await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"], "--item", "db"))["snapshot"]!;

        await lab.FailAsync(2, "prune", lab.Vault);
        Assert.Contains("'nosuch'", (await lab.FailAsync(2, "prune", lab.Vault, "--item", "nosuch", "--keep-last", "1")).Message, StringComparison.Ordinal);
        var dry = await lab.DoAsync("prune", lab.Vault, "--keep-last", "2", "--dry-run");
        Assert.Equal([web[0]], dry["deleted"]!.AsArray().Select(id => (string)id!));
        Assert.Equal(4, (await lab.DoAsync("list", lab.Vault))["snapshots"]!.AsArray().Count);
        await lab.DoAsync("prune", lab.Vault, "--keep-last", "2");
        Assert.Equal([web[1], web[2], db], (await lab.DoAsync("list", lab.Vault))["snapshots"]!.AsArray().Select(s => (string)s!["snapshot"]!));
    }
}
