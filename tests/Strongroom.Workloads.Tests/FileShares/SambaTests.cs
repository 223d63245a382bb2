namespace Strongroom.Workloads.Tests.FileShares;

/// <summary>What Windows' clients keep of files, as Samba keeps it on the disk, comes back with a restore.</summary>
public sealed class SambaTests
{
    [Theory]
    [InlineData("ext4")]
    [InlineData("btrfs")]
    public async Task A_restored_share_shows_the_same_ACLs_streams_and_attributes(string fileSystem)
    {
        using var mount = Mount.OfImage(fileSystem);
        await using var lab = await ShareLab.StartAsync(mount.Path);
        foreach (var name in new[] { "one", "two" }) Directory.CreateDirectory(Path.Combine(lab.Root, name));
        await using var samba = await SambaServer.StartAsync(("one", Path.Combine(lab.Root, "one")), ("two", Path.Combine(lab.Root, "two")));
        var text = Path.Combine(lab.Folder("client"), "text");
        await File.WriteAllTextAsync(text, "the books", TestContext.Current.CancellationToken);
        await samba.ClientAsync("one", $"mkdir docs; cd docs; put {text} report.txt; put {text} report.txt:note; setmode report.txt +hs; put {text} plain.txt");
        await samba.AclAsync("one", "docs", "-a", "ACL:nobody:ALLOWED/OI|CI/READ");
        await samba.AclAsync("one", "docs/report.txt", "-a", "ACL:nobody:DENIED/0x0/W");
        await samba.AclAsync("one", "docs/report.txt", "-a", "ACL:Everyone:ALLOWED/0x0/READ");
        // Makes it differ from what an inherited ACL would give.
        await samba.ClientAsync("one", $"cd docs; put {text} inherited.txt");
        var shown = await LookAsync(samba, "one");
        Assert.Contains("nobody:DENIED", shown, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("[:note:$DATA], 9 bytes", shown, StringComparison.Ordinal);
        Assert.Contains("attributes: HS", shown, StringComparison.Ordinal);

        var (result, _, snapshot) = await lab.BackUpAsync("one");
        Assert.Empty(result.Problems);
        Assert.Equal(fileSystem == "btrfs", snapshot.IsOneMoment);
        var restored = await lab.RestoreAsync(result.Tree, "two");
        Assert.Empty(restored.Problems);
        Assert.Equal(shown, await LookAsync(samba, "two"));
        var back = Path.Combine(lab.Folder("client"), "back");
        await samba.ClientAsync("two", $"get docs\\report.txt:note {back}");
        Assert.Equal("the books", await File.ReadAllTextAsync(back, TestContext.Current.CancellationToken));
    }

    /// <summary>All that a client is told of the files, without what no backup can keep: when they were last read and their metadata last changed, and inodes.</summary>
    private static async Task<string> LookAsync(SambaServer samba, string share)
    {
        var looks = new List<string>();
        foreach (var path in new[] { "docs", "docs/report.txt", "docs/plain.txt", "docs/inherited.txt" })
        {
            looks.Add(await samba.AclAsync(share, path));
            var information = await samba.ClientAsync(share, $"allinfo {path.Replace('/', '\\')}");
            looks.AddRange(information.Split('\n').Where(line => !line.StartsWith("access_time", StringComparison.Ordinal) && !line.StartsWith("change_time", StringComparison.Ordinal)));
        }

        return string.Join('\n', looks);
    }
}
