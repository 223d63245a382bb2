using System.Globalization;
using Strongroom.Store;

namespace Strongroom.Workloads.Tests.FileShares;

/// <summary>Shares on Btrfs, which are read from snapshots.</summary>
public sealed class BtrfsShareTests : IAsyncLifetime
{
    private const string Hidden = ".strongroom-snapshots";

    private Mount _mount = null!;
    private ShareLab _lab = null!;

    public async ValueTask InitializeAsync()
    {
        _mount = Mount.OfImage("btrfs");
        _lab = await ShareLab.StartAsync(_mount.Path);
    }

    public async ValueTask DisposeAsync()
    {
        if (_lab is not null) await _lab.DisposeAsync();
        _mount?.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_share_is_read_as_it_was_when_its_snapshot_was_taken(bool isSubvolume)
    {
        if (isSubvolume) Subvolume("finance");
        _lab.Write("finance/books/2026.txt", "red");
        _lab.Write("finance/gone.txt", "still here");
        await using (var snapshot = await _lab.SnapshotAsync("finance"))
        {
            Assert.True(snapshot.IsOneMoment);
            Assert.Empty(snapshot.Notes);
            _lab.Write("finance/books/2026.txt", "black");
            _lab.Write("finance/late.txt", "late");
            File.Delete(Path.Combine(_lab.Root, "finance/gone.txt"));
            var (result, _, _) = await _lab.StoreAsync(snapshot);
            Assert.Empty(result.Problems);
            Assert.Equal(["books", "gone.txt"], await _lab.ListAsync(result.Tree));
            Assert.Equal("red", await _lab.ReadAsync(result.Tree, "books/2026.txt"));
            // Nobody but the server can look into it.
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(HiddenOf("finance")));
        }

        Assert.False(Path.Exists(HiddenOf("finance")));
        Assert.Empty(_lab.Warnings);
    }

    [Fact]
    public async Task A_writer_that_keeps_two_files_alike_finds_them_alike_in_every_snapshot()
    {
        Subvolume("ledger");
        string[] files = [.. Enumerable.Range(0, 2).Select(i => Path.Combine(_lab.Root, $"ledger/{i}"))];
        // The one is never behind the other, and never ahead by more than one. Each number is synced before the next is written, for a snapshot is what a power cut would leave.
        Array.ForEach(files, file => File.WriteAllText(file, Number(0)));
        using var stop = new CancellationTokenSource();
        var written = 0;
        var writer = Task.Run(
            () =>
            {
                var handles = files.Select(file => File.OpenHandle(file, FileMode.Open, FileAccess.Write)).ToArray();
                while (!stop.IsCancellationRequested)
                {
                    written++;
                    foreach (var handle in handles)
                    {
                        RandomAccess.Write(handle, System.Text.Encoding.ASCII.GetBytes(Number(written)), 0);
                        RandomAccess.FlushToDisk(handle);
                    }
                }

                Array.ForEach(handles, handle => handle.Dispose());
            },
            CancellationToken.None);
        var seen = new HashSet<int>();
        try
        {
            for (var round = 0; round < 10; round++)
            {
                await using var snapshot = await _lab.SnapshotAsync("ledger");
                var reached = Volatile.Read(ref written);
                // Were the files read live, the writer would be far ahead by now.
                while (Volatile.Read(ref written) < reached + 10) await Task.Yield();
                var (result, _, _) = await _lab.StoreAsync(snapshot);
                Assert.Empty(result.Problems);
                var first = int.Parse(await _lab.ReadAsync(result.Tree, "0"), CultureInfo.InvariantCulture);
                var second = int.Parse(await _lab.ReadAsync(result.Tree, "1"), CultureInfo.InvariantCulture);
                Assert.InRange(first - second, 0, 1);
                Assert.InRange(first, 0, reached + 1);
                seen.Add(first);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await writer;
        }

        Assert.True(seen.Count > 1, "The writer stood still.");

        static string Number(int number) => number.ToString("d10", CultureInfo.InvariantCulture);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_second_snapshot_reads_only_what_has_changed(bool isSubvolume)
    {
        if (isSubvolume) Subvolume("finance");
        for (var i = 0; i < 20; i++) _lab.Write($"finance/{i % 3}/{i}.txt", new string((char)('a' + i), 20_000));
        await SettleAsync();
        var item = Guid.NewGuid();
        var first = (await _lab.BackUpAsync("finance", null, item)).Result;
        _lab.Write("finance/1/4.txt", "changed");
        var (second, statistics, _) = await _lab.BackUpAsync("finance", first.Tree, item);
        Assert.Equal((20L, 19L), (second.Statistics.Files, second.Statistics.FilesUnchanged));
        Assert.Equal("changed".Length, statistics.BytesRead);
        Assert.Equal("changed", await _lab.ReadAsync(second.Tree, "1/4.txt"));
        Assert.Equal(new string('f', 20_000), await _lab.ReadAsync(second.Tree, "2/5.txt"));
    }

    [Fact]
    public async Task What_a_server_that_died_left_is_removed_and_nothing_else()
    {
        Subvolume("finance");
        _lab.Write("finance/a.txt", "a");
        var (item, other) = (Guid.NewGuid(), Guid.NewGuid());
        // Never disposed: as a kill leaves it.
        var left = await _lab.SnapshotAsync("finance", item);
        var leftOfOther = await _lab.SnapshotAsync("finance", other);
        Subvolume($"finance/{Hidden}/{Guid.NewGuid():N}-{item:N}");
        Subvolume($"finance/{Hidden}/{_lab.ServerId:N}-{item:N}.try");
        Assert.Equal(4, Directory.GetDirectories(HiddenOf("finance")).Length);
        _lab.Write("finance/a.txt", "b");
        await using (var snapshot = await _lab.SnapshotAsync("finance", item))
        {
            Assert.True(snapshot.IsOneMoment);
            Assert.Equal("b", await _lab.ReadAsync((await _lab.StoreAsync(snapshot)).Result.Tree, "a.txt"));
        }

        Assert.Equal(2, Directory.GetDirectories(HiddenOf("finance")).Length);
        await _lab.Fabric.EndBackupAsync(await _lab.ShareAsync("finance"), other, CancellationToken.None);
        // Another server's.
        Assert.EndsWith($"-{item:N}", Assert.Single(Directory.GetDirectories(HiddenOf("finance"))), StringComparison.Ordinal);
        await _lab.Fabric.EndBackupAsync(await _lab.ShareAsync("finance"), item, CancellationToken.None);
        Assert.Single(Directory.GetDirectories(HiddenOf("finance")));
        await left.DisposeAsync();
        await leftOfOther.DisposeAsync();
    }

    [Fact]
    public async Task A_share_in_a_share_is_snapshotted_on_its_own()
    {
        _lab.Write("outer/inner/a.txt", "a");
        _lab.Servers[0] = _lab.Servers[0] with { Shares = [new("inner", Path.Combine(_lab.Root, "outer/inner"))] };
        await using var inner = await _lab.SnapshotAsync("inner");
        await using var outer = await _lab.SnapshotAsync("outer");
        Assert.True(inner.IsOneMoment);
        Assert.True(outer.IsOneMoment);
        var tree = (await _lab.StoreAsync(outer)).Result.Tree;
        Assert.Equal(["inner"], await _lab.ListAsync(tree));
        Assert.Equal(["a.txt"], await _lab.ListAsync(tree, "inner"));
        Assert.Equal(["a.txt"], await _lab.ListAsync((await _lab.StoreAsync(inner)).Result.Tree));
    }

    [Fact]
    public async Task A_share_with_other_file_systems_in_it_is_read_live()
    {
        Subvolume("finance");
        _lab.Write("finance/a.txt", "a");
        using (Mount.OfFolder(Directory.CreateDirectory(Path.Combine(_lab.Root, "finance/deep/in side")).FullName))
        {
            var (result, _, snapshot) = await _lab.BackUpAsync("finance");
            Assert.False(snapshot.IsOneMoment);
            Assert.Contains("'deep/in side'", Assert.Single(snapshot.Notes), StringComparison.Ordinal);
            Assert.Equal(["a.txt", "deep"], await _lab.ListAsync(result.Tree));
            Assert.False(Path.Exists(HiddenOf("finance")));
            // Beside it they do not matter.
            _lab.Write("plain/a.txt", "a");
            Assert.True((await _lab.BackUpAsync("plain")).Snapshot.IsOneMoment);
        }

        Assert.True((await _lab.BackUpAsync("finance")).Snapshot.IsOneMoment);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Subvolumes_in_a_share_are_snapshotted_with_it(bool isSubvolume)
    {
        if (isSubvolume) Subvolume("home");
        _lab.Write("home/users/list.txt", "anna, ben");
        foreach (var path in new[] { "users/anna", "users/anna/mail", "users/ben" }) Subvolume($"home/{path}");
        _lab.Write("home/users/anna/mail/1.eml", "first");
        _lab.Write("home/users/ben/a.txt", "a");
        Subvolume("elsewhere");
        Mount.Run("btrfs", "-q", "subvolume", "snapshot", "-r", Path.Combine(_lab.Root, "home/users/ben"), Path.Combine(_lab.Root, "home/users/ben.old"));
        var users = Path.Combine(_lab.Root, "home/users");
        Directory.SetLastWriteTimeUtc(users, new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc).AddTicks(1234567));
        await SettleAsync();
        var item = Guid.NewGuid();
        TreeBackupResult first;
        await using (var snapshot = await _lab.SnapshotAsync("home", item))
        {
            _lab.Write("home/users/anna/mail/1.eml", "changed");
            (first, _, _) = await _lab.StoreAsync(snapshot);
            Assert.False(snapshot.IsOneMoment);
            Assert.Equal(2, snapshot.Notes.Count);
            Assert.Contains("'users/ben.old'", snapshot.Notes[1], StringComparison.Ordinal);
        }

        Assert.Empty(first.Problems);
        Assert.Equal(["anna", "ben", "ben.old", "list.txt"], await _lab.ListAsync(first.Tree, "users"));
        Assert.Equal("first", await _lab.ReadAsync(first.Tree, "users/anna/mail/1.eml"));
        Assert.Equal("a", await _lab.ReadAsync(first.Tree, "users/ben/a.txt"));
        Assert.Empty(await _lab.ListAsync(first.Tree, "users/ben.old"));
        var folder = await _lab.Vault.FindInTreeAsync(first.Tree, TreePath.Of("users"), CancellationToken.None);
        Assert.Equal(123456700, folder!.ModifiedAt.Nanoseconds);
        Assert.False(Path.Exists(HiddenOf("home")));

        // The server dies with the next one, and finds what it has left.
        var left = await _lab.SnapshotAsync("home", item);
        var (second, statistics, _) = await _lab.BackUpAsync("home", first.Tree, item);
        Assert.Equal((3L, 2L), (second.Statistics.Files, second.Statistics.FilesUnchanged));
        Assert.Equal("changed".Length, statistics.BytesRead);
        Assert.False(Path.Exists(HiddenOf("home")));
        await left.DisposeAsync();
        Assert.Empty(_lab.Warnings);
        Assert.True(Directory.Exists(Path.Combine(users, "anna/mail")));
    }

    [Theory]
    [InlineData("link")]
    [InlineData("file")]
    [InlineData("folder")]
    public async Task A_hidden_folder_that_is_not_the_server_s_is_never_used(string what)
    {
        Subvolume("finance");
        _lab.Write("finance/a.txt", "a");
        var elsewhere = Directory.CreateDirectory(Path.Combine(_lab.Root, "elsewhere")).FullName;
        if (what == "link") Directory.CreateSymbolicLink(HiddenOf("finance"), elsewhere);
        else if (what == "file") File.WriteAllText(HiddenOf("finance"), "mine");
        else Directory.CreateDirectory(HiddenOf("finance"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherExecute);
        var (result, _, snapshot) = await _lab.BackUpAsync("finance");
        Assert.False(snapshot.IsOneMoment);
        Assert.Single(snapshot.Notes);
        Assert.Contains("a.txt", await _lab.ListAsync(result.Tree));
        Assert.Empty(Directory.EnumerateFileSystemEntries(elsewhere));
        Assert.True(Path.Exists(HiddenOf("finance")));
    }

    [Fact]
    public async Task A_snapshot_that_fails_leaves_nothing_and_the_share_is_read_live()
    {
        Subvolume("finance");
        _lab.Write("finance/a.txt", "a");
        Mount.Run("btrfs", "property", "set", Path.Combine(_lab.Root, "finance"), "ro", "true");
        var (result, _, snapshot) = await _lab.BackUpAsync("finance");
        Assert.False(snapshot.IsOneMoment);
        Assert.Equal(["a.txt"], await _lab.ListAsync(result.Tree));
        Assert.Equal(["a.txt"], Directory.EnumerateFileSystemEntries(Path.Combine(_lab.Root, "finance")).Select(Path.GetFileName));
    }

    private string HiddenOf(string share) => Path.Combine(_lab.Root, share, Hidden);

    private void Subvolume(string path) => Mount.Run("btrfs", "-q", "subvolume", "create", Path.Combine(_lab.Root, path));

    /// <summary>A file that was changed less than two seconds ago is read again.</summary>
    private static Task SettleAsync() => Task.Delay(TimeSpan.FromSeconds(4), CancellationToken.None);
}
