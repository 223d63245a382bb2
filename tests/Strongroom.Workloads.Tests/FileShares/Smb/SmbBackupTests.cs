using Strongroom.Backup.FileShares;
using Strongroom.Store;

namespace Strongroom.Workloads.Tests.FileShares.Smb;

/// <summary>Shares of a file server of kind Smb are found and backed up, against a real Samba.</summary>
public sealed class SmbBackupTests
{
    private static readonly DateTimeOffset s_time = new(2021, 5, 6, 7, 8, 9, TimeSpan.Zero);

    [Fact(Timeout = 600_000)]
    public async Task Shares_are_listed_but_hidden_ones()
    {
        await using var lab = await SmbLab.StartAsync();
        Assert.Equal(["one", "two"], await NamesAsync(lab));
        lab.Server = lab.Server with { Shares = [new("books", "one")] };
        Assert.Equal(["books"], await NamesAsync(lab));
        File.WriteAllText(Path.Combine(lab.One, "a.txt"), "the books");
        var (result, _) = await lab.BackUpAsync("BOOKS");
        Assert.Equal("the books", await lab.Local.ReadAsync(result.Tree, "a.txt"));
        await Assert.ThrowsAsync<ShareException>(() => lab.BackUpAsync("two"));
    }

    [Fact(Timeout = 600_000)]
    public async Task What_stands_in_the_way_is_told()
    {
        await using var lab = await SmbLab.StartAsync();
        var missing = await Assert.ThrowsAsync<ShareException>(() => lab.BackUpAsync("three"));
        Assert.Equal((ShareProblem.NotFound, "Share 'three' is not on file server 'nas2' any more."), (missing.Problem, missing.Message));

        var login = lab.Login!;
        lab.Login = login with { Password = "wrong" };
        foreach (var refused in new[] { await Assert.ThrowsAsync<ShareException>(() => lab.BackUpAsync("one")), await Assert.ThrowsAsync<ShareException>(() => NamesAsync(lab)) })
        {
            Assert.Equal(ShareProblem.ServerFailed, refused.Problem);
            Assert.Contains("refuses the credentials 'nas2'", refused.Message, StringComparison.Ordinal);
        }

        lab.Login = login;
        await lab.Samba.KillAsync();
        var dead = await Assert.ThrowsAsync<ShareException>(() => lab.BackUpAsync("one"));
        Assert.Equal(ShareProblem.ServerFailed, dead.Problem);
        Assert.Contains("cannot be reached", dead.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 600_000)]
    public async Task A_share_is_stored_with_its_times_attributes_and_access_rights()
    {
        await using var lab = await SmbLab.StartAsync();
        Directory.CreateDirectory(Path.Combine(lab.One, "docs", "100% of #1; &what"));
        Directory.CreateDirectory(Path.Combine(lab.One, "empty"));
        var large = new byte[5 << 20];
        new Random(7).NextBytes(large);
        File.WriteAllBytes(Path.Combine(lab.One, "docs", "large.bin"), large);
        File.WriteAllText(Path.Combine(lab.One, "docs", "100% of #1; &what", "grüße 漢字.txt"), "hello");
        File.WriteAllText(Path.Combine(lab.One, "nothing.txt"), "");
        File.SetLastWriteTimeUtc(Path.Combine(lab.One, "nothing.txt"), s_time.UtcDateTime.AddTicks(1_234_567));
        await lab.Samba.ClientAsync("one", "setmode nothing.txt +rhs");
        await lab.Samba.AclAsync("one", "docs", "-a", "ACL:nobody:ALLOWED/OI|CI/READ");

        var (result, _) = await lab.BackUpAsync("one");
        Assert.Empty(result.Problems);
        Assert.Equal((4, 3), (result.Statistics.Folders, result.Statistics.Files));
        Assert.Equal("hello", await lab.Local.ReadAsync(result.Tree, "docs/100% of #1; &what/grüße 漢字.txt"));
        await using (var stored = await lab.Local.Vault.OpenTreeFileAsync(result.Tree, TreePath.Of("docs/large.bin"), CancellationToken.None))
        {
            var read = new MemoryStream();
            await stored.CopyToAsync(read, TestContext.Current.CancellationToken);
            Assert.True(read.ToArray().AsSpan().SequenceEqual(large));
        }

        var nothing = (await lab.Local.Vault.FindInTreeAsync(result.Tree, TreePath.Of("nothing.txt"), CancellationToken.None))!;
        Assert.Equal(s_time.AddTicks(1_234_567), nothing.ModifiedAt.ToDateTimeOffset());
        Assert.Equal(["security.NTACL", "user.DOSATTRIB"], nothing.Attributes.Select(attribute => System.Text.Encoding.ASCII.GetString(attribute.Name.Span)));
        Assert.Equal(0x7, nothing.Attributes[1].Value.Span[12] & 0x27);
    }

    [Fact(Timeout = 600_000)]
    public async Task A_restore_into_a_folder_that_Samba_serves_shows_the_same()
    {
        await using var lab = await SmbLab.StartAsync();
        Directory.CreateDirectory(Path.Combine(lab.One, "docs"));
        foreach (var name in new[] { "plain.txt", "report.txt" }) File.WriteAllText(Path.Combine(lab.One, "docs", name), name);
        File.SetLastWriteTimeUtc(Path.Combine(lab.One, "docs", "plain.txt"), s_time.UtcDateTime.AddTicks(7));
        await lab.Samba.ClientAsync("one", "cd docs; setmode report.txt +rhs");
        await lab.Samba.AclAsync("one", "docs/plain.txt", "-a", "ACL:nobody:DENIED/0x0/W");
        await lab.Samba.AclAsync("one", "docs/plain.txt", "-a", "ACL:Everyone:ALLOWED/0x0/READ");
        string[] paths = ["docs", "docs/plain.txt", "docs/report.txt"];
        var shown = await lab.LookAsync("one", paths);
        Assert.Contains("nobody:DENIED", shown, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("attributes: RHS", shown, StringComparison.Ordinal);

        var (result, _) = await lab.BackUpAsync("one");
        Assert.Empty(result.Problems);
        Assert.Empty((await lab.Local.RestoreAsync(result.Tree, "two")).Problems);
        Assert.Equal(shown, await lab.LookAsync("two", paths));
    }

    [Fact(Timeout = 600_000)]
    public async Task The_second_backup_reads_what_has_changed()
    {
        await using var lab = await SmbLab.StartAsync();
        Directory.CreateDirectory(Path.Combine(lab.One, "docs"));
        for (var i = 0; i < 20; i++) File.WriteAllText(Path.Combine(lab.One, "docs", $"{i}.txt"), new string((char)('a' + i), 3000));
        var (first, firstRead) = await lab.BackUpAsync("one");
        Assert.Equal(60_000, firstRead.BytesRead);

        var (same, sameRead) = await lab.BackUpAsync("one", first.Tree);
        Assert.Equal((0, 20), (sameRead.BytesRead, same.Statistics.FilesUnchanged));
        Assert.Equal(new string('t', 3000), await lab.Local.ReadAsync(same.Tree, "docs/19.txt"));

        File.WriteAllText(Path.Combine(lab.One, "docs", "3.txt"), new string('x', 3000));
        File.Delete(Path.Combine(lab.One, "docs", "4.txt"));
        File.Move(Path.Combine(lab.One, "docs", "5.txt"), Path.Combine(lab.One, "docs", "50.txt"));
        // Neither shows in any time that Samba tells.
        await lab.Samba.AclAsync("one", "docs/6.txt", "-a", "ACL:nobody:DENIED/0x0/W");
        await lab.Samba.ClientAsync("one", "cd docs; setmode 7.txt +h");
        var before = await EntriesAsync(lab, first.Tree);
        var (second, secondRead) = await lab.BackUpAsync("one", first.Tree);
        Assert.Empty(second.Problems);
        Assert.Equal((6000, 19), (secondRead.BytesRead, second.Statistics.Files));
        Assert.Equal(new string('x', 3000), await lab.Local.ReadAsync(second.Tree, "docs/3.txt"));
        Assert.Equal(new string('f', 3000), await lab.Local.ReadAsync(second.Tree, "docs/50.txt"));
        var after = await EntriesAsync(lab, second.Tree);
        Assert.DoesNotContain("4.txt", after.Keys);
        Assert.NotEqual(before["6.txt"].Attributes[0].Value.ToArray(), after["6.txt"].Attributes[0].Value.ToArray());
        Assert.Equal(0x2, after["7.txt"].Attributes[1].Value.Span[12] & 0x2);
        Assert.Equal(before["8.txt"].Attributes[0].Value.ToArray(), after["8.txt"].Attributes[0].Value.ToArray());
    }

    [Fact(Timeout = 600_000)]
    public async Task What_cannot_be_read_is_named_and_read_the_next_time()
    {
        await using var lab = await SmbLab.StartAsync();
        foreach (var name in new[] { "a.txt", "b.txt" }) File.WriteAllText(Path.Combine(lab.One, name), name);
        Directory.CreateSymbolicLink(Path.Combine(lab.One, "loop"), lab.One);
        File.CreateSymbolicLink(Path.Combine(lab.One, "z.txt"), "/nowhere");
        var (result, _) = await lab.BackUpAsync("one");
        Assert.Contains("one of those that it lies in", Assert.Single(result.Problems).What, StringComparison.Ordinal);
        Assert.Equal(["a.txt", "b.txt", "loop"], await lab.Local.ListAsync(result.Tree));
    }

    [Fact(Timeout = 600_000)]
    public async Task A_server_that_dies_fails_the_backup_and_the_next_one_is_whole()
    {
        await using var lab = await SmbLab.StartAsync();
        var content = new byte[3 << 20];
        for (var i = 0; i < 40; i++)
        {
            new Random(i).NextBytes(content);
            File.WriteAllBytes(Path.Combine(lab.One, $"{i:00}.bin"), content);
        }

        var share = await lab.ShareAsync("one");
        await using (var snapshot = await lab.Fabric.SnapshotAsync(share, Guid.NewGuid(), CancellationToken.None))
        await using (var session = await lab.Local.Vault.OpenSessionAsync(CancellationToken.None))
        {
            var killed = 0;
            var progress = new Callback(at =>
            {
                if (at.Bytes > 10 << 20 && Interlocked.Exchange(ref killed, 1) == 0) lab.Samba.KillAsync().GetAwaiter().GetResult();
            });
            var failure = await Assert.ThrowsAsync<ShareException>(() => snapshot.WriteAsync(session, null, progress, CancellationToken.None));
            Assert.Equal(ShareProblem.ServerFailed, failure.Problem);
            Assert.Contains("does not answer any more", failure.Message, StringComparison.Ordinal);
        }

        await lab.Samba.StartAgainAsync("one");
        var (result, _) = await lab.BackUpAsync("one");
        Assert.Empty(result.Problems);
        Assert.Equal((40, 120L << 20), (result.Statistics.Files, result.Statistics.Bytes));
    }

    [Fact(Timeout = 300_000)]
    public async Task A_process_that_does_not_start_is_told()
    {
        await using var lab = await SmbLab.StartAsync();
        var fabric = new Strongroom.Workloads.FileShares.Smb.SmbFileShares(
            lab, new() { Executable = "/nowhere" }, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<Strongroom.Workloads.FileShares.Smb.SmbFileShares>.Instance);
        var failure = await Assert.ThrowsAsync<ShareException>(async () => await fabric.ListSharesAsync(await lab.AccountAsync(), CancellationToken.None));
        Assert.Equal(ShareProblem.ServerFailed, failure.Problem);
    }

    private static async Task<IEnumerable<string>> NamesAsync(SmbLab lab) => (await lab.Fabric.ListSharesAsync(await lab.AccountAsync(), CancellationToken.None)).Select((AccountShare share) => share.Name);

    private static async Task<Dictionary<string, TreeEntry>> EntriesAsync(SmbLab lab, TreeRef tree)
    {
        var entries = new Dictionary<string, TreeEntry>();
        await foreach (var entry in lab.Local.Vault.ListTreeAsync(tree, TreePath.Of("docs"), CancellationToken.None)) entries.Add(entry.NameText, entry);
        return entries;
    }

    private sealed class Callback(Action<TreeProgress> at) : IProgress<TreeProgress>
    {
        public void Report(TreeProgress value) => at(value);
    }
}
