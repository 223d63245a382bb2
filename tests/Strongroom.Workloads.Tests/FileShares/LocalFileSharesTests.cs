using Strongroom.Backup.FileShares;
using Strongroom.Store;

namespace Strongroom.Workloads.Tests.FileShares;

public sealed class LocalFileSharesTests : IAsyncLifetime
{
    private ShareLab _lab = null!;

    public async ValueTask InitializeAsync() => _lab = await ShareLab.StartAsync();

    public ValueTask DisposeAsync() => _lab.DisposeAsync();

    [Fact]
    public async Task Folders_of_the_root_and_listed_ones_are_shares()
    {
        foreach (var name in new[] { "finance", "Home", ".hidden", "with space" })
            Directory.CreateDirectory(Path.Combine(_lab.Root, name));
        _lab.Write("file", "no folder");
        // A listed share counts before a folder of its name.
        _lab.Servers[0] = _lab.Servers[0] with { Shares = [new("spaces", Path.Combine(_lab.Root, "with space")), new("home", Path.Combine(_lab.Root, "finance"))] };
        Assert.Equal(["finance", "home", "spaces"], await _lab.NamesAsync());
        Assert.Contains("with space", Assert.Single(_lab.Warnings), StringComparison.Ordinal);
        Assert.Equal(["finance", "home", "spaces"], await _lab.NamesAsync());
        Assert.Single(_lab.Warnings);
    }

    [Fact]
    public async Task Of_folders_whose_names_differ_in_capitals_one_is_a_share()
    {
        Directory.CreateDirectory(Path.Combine(_lab.Root, "Home"));
        Directory.CreateDirectory(Path.Combine(_lab.Root, "home"));
        Assert.Equal(["Home"], await _lab.NamesAsync());
        Assert.Contains("capitals", Assert.Single(_lab.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_is_a_share_as_long_as_it_stays_below_an_allowed_folder()
    {
        Directory.CreateDirectory(Path.Combine(_lab.Root, "real"));
        Directory.CreateSymbolicLink(Path.Combine(_lab.Root, "inside"), Path.Combine(_lab.Root, "real"));
        Directory.CreateSymbolicLink(Path.Combine(_lab.Root, "outside"), _lab.Outside);
        Assert.Equal(["inside", "real"], await _lab.NamesAsync());
        await Assert.ThrowsAsync<ShareException>(() => _lab.SnapshotAsync("outside"));
        await using var snapshot = await _lab.SnapshotAsync("inside");
    }

    [Fact]
    public async Task Accounts_are_the_servers_of_the_group()
    {
        _lab.Servers.Add(new(ShareLab.Subscription, "Other", "nas2", "cellar", [], _lab.Root));
        Assert.Equal(["nas1", "nas2"], (await _lab.Fabric.ListAccountsAsync(ShareLab.Subscription, null, CancellationToken.None)).Select(account => account.Name));
        Assert.Equal(
            new ShareAccount(ShareLab.Subscription, "Other", "nas2", "cellar"), Assert.Single(await _lab.Fabric.ListAccountsAsync(ShareLab.Subscription, "other", CancellationToken.None)));
        Assert.Null(await _lab.Fabric.FindAccountAsync(ShareLab.Subscription, "lab", "nas2", CancellationToken.None));
        Assert.Empty(await _lab.Fabric.ListAccountsAsync(Guid.NewGuid().ToString(), null, CancellationToken.None));
    }

    [Fact]
    public async Task A_share_is_backed_up_live_and_restored()
    {
        _lab.Write("finance/books/2026.txt", "red");
        // Another share's snapshots lie in it.
        _lab.Write($"finance/team/{".strongroom-snapshots"}/x/secret.txt", "of another moment");
        var (result, _, snapshot) = await _lab.BackUpAsync("finance");
        Assert.False(snapshot.IsOneMoment);
        Assert.Contains("'finance'", Assert.Single(snapshot.Notes), StringComparison.Ordinal);
        Assert.Empty(result.Problems);
        Assert.Equal(["books", "team"], await _lab.ListAsync(result.Tree));
        Assert.Empty(await _lab.ListAsync(result.Tree, "team"));

        Directory.CreateDirectory(Path.Combine(_lab.Root, "other"));
        var restored = await _lab.RestoreAsync(result.Tree, "other");
        Assert.Empty(restored.Problems);
        Assert.Equal("red", await File.ReadAllTextAsync(Path.Combine(_lab.Root, "other/books/2026.txt"), CancellationToken.None));
    }

    [Fact]
    public async Task The_folder_that_was_opened_is_backed_up_whatever_its_name_leads_to_later()
    {
        _lab.Write("finance/mine.txt", "mine");
        await File.WriteAllTextAsync(Path.Combine(_lab.Outside, "secret.txt"), "not yours", CancellationToken.None);
        await using var snapshot = await _lab.SnapshotAsync("finance");
        await using var target = await _lab.Fabric.OpenTargetAsync(await _lab.ShareAsync("finance"), CancellationToken.None);
        Directory.Move(Path.Combine(_lab.Root, "finance"), Path.Combine(_lab.Root, "moved"));
        Directory.CreateSymbolicLink(Path.Combine(_lab.Root, "finance"), _lab.Outside);
        var (result, _, _) = await _lab.StoreAsync(snapshot);
        Assert.Equal(["mine.txt"], await _lab.ListAsync(result.Tree));

        File.Delete(Path.Combine(_lab.Root, "moved/mine.txt"));
        await target.RestoreAsync(_lab.Vault, result.Tree, [new(default, default)], new() { Existing = ExistingFiles.Overwrite }, null, CancellationToken.None);
        Assert.True(File.Exists(Path.Combine(_lab.Root, "moved/mine.txt")));
        Assert.Equal(["secret.txt"], Directory.EnumerateFiles(_lab.Outside).Select(Path.GetFileName));
    }

    [Fact]
    public async Task What_is_gone_is_not_found_and_nothing_is_left_of_it()
    {
        _lab.Servers[0] = _lab.Servers[0] with { Shares = [new("listed", Path.Combine(_lab.Root, "gone")), new("forbidden", _lab.Outside)] };
        foreach (var (name, problem) in new[] { ("nothing", ShareProblem.NotFound), ("listed", ShareProblem.NotFound), ("forbidden", ShareProblem.NotReadable) })
        {
            Assert.Equal(problem, (await Assert.ThrowsAsync<ShareException>(() => _lab.SnapshotAsync(name))).Problem);
            var share = await _lab.ShareAsync(name);
            Assert.Equal(problem, (await Assert.ThrowsAsync<ShareException>(() => _lab.Fabric.OpenTargetAsync(share, CancellationToken.None))).Problem);
            await _lab.Fabric.EndBackupAsync(share, Guid.NewGuid(), CancellationToken.None);
        }

        var account = await _lab.AccountAsync();
        _lab.Servers.Clear();
        Assert.Equal(ShareProblem.NotFound, (await Assert.ThrowsAsync<ShareException>(() => _lab.Fabric.ListSharesAsync(account, CancellationToken.None))).Problem);
        await _lab.Fabric.EndBackupAsync(new(account, "finance"), Guid.NewGuid(), CancellationToken.None);
    }

    [Fact]
    public async Task A_root_that_is_away_fails_the_list_and_not_the_shares_that_are_listed()
    {
        _lab.Write("kept/a.txt", "a");
        _lab.Servers[0] = _lab.Servers[0] with { Shares = [new("kept", Path.Combine(_lab.Root, "kept"))], SharesRoot = Path.Combine(_lab.Root, "away") };
        var account = await _lab.AccountAsync();
        var failure = await Assert.ThrowsAsync<ShareException>(() => _lab.Fabric.ListSharesAsync(account, CancellationToken.None));
        Assert.Equal(ShareProblem.ServerFailed, failure.Problem);
        Assert.DoesNotContain(_lab.Root, failure.Message, StringComparison.Ordinal);
        Assert.Equal(["a.txt"], await _lab.ListAsync((await _lab.BackUpAsync("kept")).Result.Tree));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_takes_no_restore()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_lab.Root, "finance")).FullName;
        using var readOnly = Mount.OfFolder(folder);
        var share = await _lab.ShareAsync("finance");
        Assert.Equal(ShareProblem.NotWritable, (await Assert.ThrowsAsync<ShareException>(() => _lab.Fabric.OpenTargetAsync(share, CancellationToken.None))).Problem);
        await using var snapshot = await _lab.SnapshotAsync("finance");
    }

    [Theory]
    [InlineData("strongroom/data")]
    [InlineData("strongroom/data/vaults")]
    [InlineData("strongroom")]
    [InlineData("")]
    [InlineData("link")]
    public async Task The_server_s_own_data_is_no_share(string path)
    {
        Directory.CreateDirectory(Path.Combine(_lab.Own, "vaults"));
        Directory.CreateSymbolicLink(Path.Combine(_lab.Root, "link"), _lab.Own);
        Directory.CreateDirectory(Path.Combine(_lab.Root, "strongroom.other"));
        Assert.Equal(["link", "strongroom.other"], await _lab.NamesAsync());
        Assert.Contains("'" + Path.Combine(_lab.Root, "strongroom") + "'", Assert.Single(_lab.Warnings), StringComparison.Ordinal);
        _lab.Servers[0] = _lab.Servers[0] with { Shares = [new("mine", Path.Combine(_lab.Root, path))] };
        Assert.Equal(ShareProblem.NotReadable, (await Assert.ThrowsAsync<ShareException>(() => _lab.SnapshotAsync("mine"))).Problem);
        var share = await _lab.ShareAsync("mine");
        await Assert.ThrowsAsync<ShareException>(() => _lab.Fabric.OpenTargetAsync(share, CancellationToken.None));
        await using var other = await _lab.SnapshotAsync("strongroom.other");
    }

    [Fact]
    public async Task Failures_name_the_share_and_not_the_server_s_files()
    {
        _lab.Write("finance/a.txt", "a");
        var tree = (await _lab.BackUpAsync("finance")).Result.Tree;
        var refused = await Assert.ThrowsAsync<StoreException>(() => _lab.RestoreAsync(tree, "finance", ExistingFiles.Refuse));
        Assert.Contains("'finance'", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("/proc/", refused.Message, StringComparison.Ordinal);
    }
}
