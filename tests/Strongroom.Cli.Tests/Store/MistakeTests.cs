using System.Diagnostics;
using System.Net.Sockets;

namespace Strongroom.Cli.Tests.Store;

/// <summary>What is easily got wrong on the command line ends with a message that names it, and changes nothing.</summary>
public sealed class MistakeTests
{
    [Fact]
    public async Task A_verb_that_does_not_fit_the_kind_of_snapshot_says_which_kind_it_is()
    {
        using var lab = await StoreLab.WithVaultAsync();
        Directory.CreateDirectory(lab["folder"]);
        await File.WriteAllTextAsync(Path.Combine(lab["folder"], "file"), "content", TestContext.Current.CancellationToken);
        lab.WriteDisk("a.raw", 1 << 18, seed: 1);
        var tree = (string)(await lab.DoAsync("backup", lab.Vault, "--tree", lab["folder"]))["snapshot"]!;
        var image = (string)(await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]))["snapshot"]!;
        var run = await lab.RunAsync("stream"u8.ToArray(), "backup", lab.Vault, "--stdin", "--output", "json");
        var stream = (string)run.Json["snapshot"]!;

        await FailsAsync(2, "a tree", "mount", lab.Vault, "--snapshot", tree);
        await FailsAsync(2, "a stream", "mount", lab.Vault, "--snapshot", stream);
        await FailsAsync(2, "a stream", "ls", lab.Vault, "--snapshot", stream);
        await FailsAsync(2, "--path", "restore", lab.Vault, "--snapshot", image, "--path", "file", "--to", lab["out"]);
        await FailsAsync(2, "--path", "restore", lab.Vault, "--snapshot", stream, "--path", "file", "--to", lab["out"]);
        await FailsAsync(2, "--disk", "restore", lab.Vault, "--snapshot", tree, "--disk", "0", "--to", lab["out"]);
        await FailsAsync(1, "'nope'", "restore", lab.Vault, "--snapshot", tree, "--path", "nope", "--to", lab["out"]);
        Assert.False(Path.Exists(lab["out"]));
        (string[] Arguments, string Text)[] mistakes =
            [(["--snapshot", tree], "--path"), (["--snapshot", tree, "--path", "."], "no file"), (["--snapshot", stream, "--path", "x"], "--path"), (["--snapshot", stream, "--disk", "x"], "--disk")];
        foreach (var (arguments, text) in mistakes)
        {
            var cat = await lab.RunAsync(["cat", lab.Vault, .. arguments]);
            Assert.NotEqual(0, cat.ExitCode);
            Assert.Contains(text, cat.Error, StringComparison.Ordinal);
            Assert.Empty(cat.Output);
        }

        async Task FailsAsync(int exitCode, string text, params string[] arguments) =>
            Assert.Contains(text, (await lab.FailAsync(exitCode, arguments)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_option_of_another_kind_of_backup_is_not_passed_over_in_silence()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 1 << 18, seed: 1);
        Assert.Contains("--exclude goes with --tree", (await lab.FailAsync(2, "backup", lab.Vault, "--image", lab["a.raw"], "--exclude", "*")).Message, StringComparison.Ordinal);
        Assert.Contains("--name goes with --stdin", (await lab.FailAsync(2, "backup", lab.Vault, "--image", lab["a.raw"], "--name", "x")).Message, StringComparison.Ordinal);
        Assert.Contains("--allow-changing goes with --image", (await lab.FailAsync(2, "backup", lab.Vault, "--tree", lab[""], "--allow-changing")).Message, StringComparison.Ordinal);
        Assert.Empty((await lab.DoAsync("list", lab.Vault))["snapshots"]!.AsArray());
    }

    [Fact]
    public async Task A_file_is_no_vault_and_a_vault_is_not_copied_into_itself()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 1 << 18, seed: 1);
        foreach (var verb in (string[])["list", "init", "verify-backend"])
            Assert.Contains("is a file", (await lab.FailAsync(2, verb, lab["a.raw"])).Message, StringComparison.Ordinal);
        Assert.Contains("is a file", (await lab.FailAsync(2, "copy", lab.Vault, lab["a.raw"])).Message, StringComparison.Ordinal);
        await lab.FailAsync(2, "copy", lab.Vault, Path.Combine(lab.Vault, "copy"));
        await lab.FailAsync(2, "copy", lab.Vault, lab[""]);
        Assert.Equal("NotFound", (await lab.FailAsync(1, "list", lab["nowhere"])).Code);
        Assert.Equal("NotFound", (await lab.FailAsync(1, "stats", lab["nowhere"])).Code);
    }

    [Fact]
    public async Task Nothing_is_restored_into_the_vault()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 1 << 18, seed: 1);
        Directory.CreateDirectory(lab["folder"]);
        var image = (string)(await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]))["snapshot"]!;
        var tree = (string)(await lab.DoAsync("backup", lab.Vault, "--tree", lab["folder"]))["snapshot"]!;
        Directory.CreateSymbolicLink(lab["link"], lab.Vault);
        var before = Directory.GetFileSystemEntries(lab.Vault, "*", SearchOption.AllDirectories);
        foreach (var place in (string[])[lab.Vault, Path.Combine(lab.Vault, "x"), Path.Combine(lab["link"], "packs", "new", "x")])
        {
            foreach (var snapshot in (string[])[image, tree])
                Assert.Contains("the vault itself", (await lab.FailAsync(2, "restore", lab.Vault, "--snapshot", snapshot, "--to", place, "--overwrite")).Message, StringComparison.Ordinal);
        }

        Assert.Equal(before, Directory.GetFileSystemEntries(lab.Vault, "*", SearchOption.AllDirectories));
        await lab.DoAsync("restore", lab.Vault, "--snapshot", image, "--to", lab["vault.raw"]);
    }

    [Theory]
    [InlineData("pipe")]
    [InlineData("socket")]
    public async Task A_pipe_or_a_socket_is_not_replaced_by_a_disk(string kind)
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 1 << 18, seed: 1);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        if (kind == "socket")
            socket.Bind(new UnixDomainSocketEndPoint(lab["place"]));
        else
            await MakePipeAsync(lab["place"]);
        Assert.Contains("plain files", (await lab.FailAsync(2, "restore", lab.Vault, "--snapshot", "latest", "--to", lab["place"], "--overwrite")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_never_ends_is_no_key_and_no_list_of_changes()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 1 << 18, seed: 1);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        await MakePipeAsync(lab["pipe"]);
        await File.WriteAllBytesAsync(lab["long"], new byte[100_000], TestContext.Current.CancellationToken);
        foreach (var path in (string[])["/dev/zero", lab["pipe"], lab["long"]])
        {
            Assert.Equal("WrongKey", (await lab.FailAsync(1, "list", lab.Vault, "--key-file", path)).Code);
            var (code, message) = await lab.FailAsync(1, "key", "escrow", lab.Vault, "--public-key", path);
            Assert.Equal("WrongKey", code);
            Assert.Contains(path, message, StringComparison.Ordinal);
        }

        foreach (var path in (string[])["/dev/zero", lab["long"]])
            Assert.Contains("line 1", (await lab.FailAsync(2, "backup", lab.Vault, "--image", lab["a.raw"], "--changed", path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_of_changes_may_come_through_a_pipe_and_the_wait_for_it_can_be_ended()
    {
        using var lab = await StoreLab.WithVaultAsync();
        var content = lab.WriteDisk("a.raw", 1 << 18, seed: 1);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        content.AsSpan(0, 4096).Fill(7);
        await File.WriteAllBytesAsync(lab["a.raw"], content, TestContext.Current.CancellationToken);
        await MakePipeAsync(lab["pipe"]);
        using (var process = lab.Start("backup", lab.Vault, "--image", lab["a.raw"], "--changed", lab["pipe"]))
        {
            await using (var pipe = new StreamWriter(lab["pipe"]))
                await pipe.WriteAsync("# changed\n0 4096");
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(0, process.ExitCode);
        }

        await lab.DoAsync("restore", lab.Vault, "--snapshot", "latest", "--to", lab["back.raw"]);
        Assert.Equal(content, await File.ReadAllBytesAsync(lab["back.raw"], TestContext.Current.CancellationToken));

        using var waiting = lab.Start("backup", lab.Vault, "--image", lab["a.raw"], "--changed", lab["pipe"]);
        await using (new StreamWriter(lab["pipe"]))
            Assert.Equal(130, await StoreLab.SignalAsync(waiting, "INT"));
    }

    [Fact]
    public async Task A_lock_that_is_over_and_a_folder_that_is_not_there_are_refused()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 1 << 18, seed: 1);
        var snapshot = (string)(await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]))["snapshot"]!;
        Assert.Contains("over already", (await lab.FailAsync(2, "lock", lab.Vault, snapshot, "--until", "2020-01-01")).Message, StringComparison.Ordinal);
        var (_, message) = await lab.FailAsync(2, "restore", lab.Vault, "--snapshot", snapshot, "--to", Path.Combine(lab["nowhere"], "disk"));
        Assert.Contains($"no folder '{lab["nowhere"]}'", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_that_does_not_answer_is_told_of_while_it_is_waited_for()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.Environment["AWS_ACCESS_KEY_ID"] = lab.Environment["AWS_SECRET_ACCESS_KEY"] = "none";

        // Nobody listens at port 9 of this machine.
        using var process = lab.Start("list", "s3://bucket/vault?endpoint=http://127.0.0.1:9");
        var line = await process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken);
        Assert.Contains("Trying again", line, StringComparison.Ordinal);
        Assert.Equal(130, await StoreLab.SignalAsync(process, "INT"));
    }

    private static async Task MakePipeAsync(string path)
    {
        using var process = Process.Start("mkfifo", [path]);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }
}
