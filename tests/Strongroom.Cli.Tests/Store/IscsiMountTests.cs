using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Strongroom.Cli.Tests.Store;

public sealed class IscsiMountTests
{
    private const int MiB = 1 << 20;

    [Fact]
    public async Task Qemu_reads_the_disk_over_iscsi_with_the_secret_that_is_shown_and_with_no_other()
    {
        var qemu = Programs.RequireOrSkip("qemu-img", "qemu-utils");
        Programs.RequireOrSkip("iscsi-ls", "libiscsi-bin");
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 20 * MiB, seed: 1);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        var (process, ready) = await StartAsync(lab);
        using (process)
        {
            Assert.True((bool)ready["readOnly"]!);
            Assert.Contains("identical", await Programs.RunAsync(qemu, "compare", UrlOf(ready, (string)ready["secret"]!), lab["a.raw"]), StringComparison.Ordinal);
            using var refused = Process.Start(new ProcessStartInfo(qemu, ["info", UrlOf(ready, "another-secret-1")]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            await refused.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.NotEqual(0, refused.ExitCode);
            Assert.Equal(0, await StoreLab.SignalAsync(process, "TERM"));
        }
    }

    [Fact]
    public async Task Secrets_come_from_a_file_and_what_is_written_is_thrown_away()
    {
        var qemu = Programs.RequireOrSkip("qemu-img", "qemu-utils");
        var io = Programs.RequireOrSkip("qemu-io", "qemu-utils");
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 5 * MiB, seed: 2);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        await File.WriteAllTextAsync(lab["chap"], "web1 a-secret-of-16ch\ntarget another-secret-1\n", TestContext.Current.CancellationToken);
        var (process, ready) = await StartAsync(lab, "--chap-file", lab["chap"], "--scratch", "--cache", "1M");
        using (process)
        {
            Assert.Null(ready["secret"]);
            var url = UrlOf(ready, "a-secret-of-16ch");
            var read = await Programs.RunAsync(io, "-f", "raw", url, "-c", "write -P 0x11 0 65536", "-c", "read -P 0x11 0 65536");
            Assert.DoesNotContain("verification failed", read, StringComparison.Ordinal);
            Assert.Contains("identical", await Programs.RunAsync(qemu, "compare", url, lab["a.raw"]), StringComparison.Ordinal);
            Assert.Equal(0, await StoreLab.SignalAsync(process, "INT"));
        }
    }

    [Theory]
    [InlineData("--iscsi takes an address", "--iscsi", "3260")]
    [InlineData("--iscsi takes an address", "--iscsi", "::1")]
    [InlineData("--iscsi takes an address", "--iscsi", "127.0.0.1")]
    [InlineData("--chap-file and --scratch go with --iscsi", "--scratch")]
    [InlineData("--overlay is for NBD", "--iscsi", "127.0.0.1:0", "--overlay", "changes")]
    [InlineData("--cache takes", "--cache", "1K")]
    [InlineData("is not a name, a space and a secret", "--iscsi", "127.0.0.1:0", "--chap-file", "one-word")]
    [InlineData("cannot be used for CHAP", "--iscsi", "127.0.0.1:0", "--chap-file", "short")]
    [InlineData("must have one line", "--iscsi", "127.0.0.1:0", "--chap-file", "empty")]
    [InlineData("must differ", "--iscsi", "127.0.0.1:0", "--chap-file", "same")]
    public async Task What_cannot_be_is_said(string message, params string[] options)
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", MiB, seed: 3);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        foreach (var (name, content) in new[] { ("one-word", "name\n"), ("short", "name secret\n"), ("empty", ""), ("same", "name a-secret-of-16ch\nother a-secret-of-16ch\n") })
            await File.WriteAllTextAsync(lab[name], content, TestContext.Current.CancellationToken);
        var failure = await lab.FailAsync(2, ["mount", lab.Vault, "--snapshot", "latest", .. options]);
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
    }

    private static async Task<(Process Process, JsonNode Ready)> StartAsync(StoreLab lab, params string[] more)
    {
        var process = lab.Start(["mount", lab.Vault, "--snapshot", "latest", "--iscsi", "127.0.0.1:0", "--output", "json", .. more]);
        var line = await process.StandardOutput.ReadLineAsync();
        Assert.True(line is not null, line is null ? await process.StandardError.ReadToEndAsync() : "");
        return (process, JsonNode.Parse(line!)!);
    }

    private static string UrlOf(JsonNode ready, string secret) =>
        ((string)ready["uri"]!).Replace("iscsi://", $"iscsi://{ready["userName"]}%{secret}@", StringComparison.Ordinal);
}
