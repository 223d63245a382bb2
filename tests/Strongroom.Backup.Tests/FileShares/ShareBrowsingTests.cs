using System.Globalization;
using System.Text;
using Strongroom.Backup.FileRecovery.Browsing;
using Strongroom.Backup.Items;
using Strongroom.Backup.Tests.Support;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Tests.FileShares;

/// <summary>The files of shares' recovery points are looked at without a restore.</summary>
public sealed class ShareBrowsingTests
{
    [Fact]
    public async Task Its_files_can_be_looked_at()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        var folder = rig.NewShare();
        var below = Directory.CreateDirectory(Path.Combine(folder, "x")).FullName;
        await File.WriteAllTextAsync(Path.Combine(below, "a.txt"), "hello", Rig.Token);
        await File.WriteAllTextAsync(Path.Combine(below, "b.txt"), "world", Rig.Token);
        File.CreateSymbolicLink(Path.Combine(folder, "link"), "/x");
        File.CreateSymbolicLink(Path.Combine(below, "up"), "../../../x");
        File.CreateSymbolicLink(Path.Combine(folder, "loop"), "loop");
        var item = await rig.ProtectShareAsync(vault);
        await rig.BackUpAsync(vault, item);
        await using var tree = await BrowseAsync(rig, vault, item);

        Assert.Equal(["link", "loop", "x"], (await tree.ListAsync(FilePath.Root, 0, 10, Rig.Token)).Entries.Select(e => e.Text));
        var page = await tree.ListAsync(At("/x"), 0, 2, Rig.Token);
        Assert.Equal(["a.txt", "b.txt"], page.Entries.Select(e => e.Text));
        Assert.Equal(2, page.Next);
        Assert.Equal("up", Assert.Single((await tree.ListAsync(At("/x"), 2, 2, Rig.Token)).Entries).Text);
        Assert.Equal("hello", await ReadAsync("/x/a.txt"));
        Assert.Equal("world", await ReadAsync("/link/up/b.txt"));
        Assert.Equal(FileKind.SymbolicLink, (await tree.FindAsync(At("/link"), Rig.Token)).Kind);
        Assert.Equal(FileBrowsingFault.NotFound, (await Assert.ThrowsAsync<FileBrowsingException>(() => tree.FindAsync(At("/loop/a"), Rig.Token))).Fault);
        Assert.Equal(FileBrowsingFault.NotFound, (await Assert.ThrowsAsync<FileBrowsingException>(() => tree.FindAsync(At("/x/a.txt/b"), Rig.Token))).Fault);
        Assert.Equal(FileBrowsingFault.NotAFolder, (await Assert.ThrowsAsync<FileBrowsingException>(() => tree.ListAsync(At("/x/a.txt"), 0, 1, Rig.Token))).Fault);
        Assert.Equal(FileBrowsingFault.NotAFile, (await Assert.ThrowsAsync<FileBrowsingException>(() => tree.ReadAsync(At("/x"), 0, new byte[1], Rig.Token))).Fault);
        Assert.Equal(FileBrowsingFault.BadPosition, (await Assert.ThrowsAsync<FileBrowsingException>(() => tree.ListAsync(At("/x"), 9, 1, Rig.Token))).Fault);

        async Task<string> ReadAsync(string path)
        {
            var buffer = new byte[100];
            return Encoding.UTF8.GetString(buffer, 0, await tree.ReadAsync(At(path), 0, buffer, Rig.Token));
        }
    }

    [Fact]
    public async Task No_page_of_a_big_folder_costs_more_than_the_first()
    {
        const int Files = 1_500;
        await using var rig = await Rig.NewAsync();
        CountingReads? reads = null;
        rig.Stores.Before = backend => reads = new(backend);
        var vault = await rig.NewVaultAsync();
        var folder = rig.NewShare();
        // Long names: many pages in the store with few files.
        for (var i = 0; i < Files; i++) await File.WriteAllTextAsync(Path.Combine(folder, $"{i:d4}-{new string('n', 200)}"), "", Rig.Token);
        var item = await rig.ProtectShareAsync(vault);
        await rig.BackUpAsync(vault, item);
        await using var tree = await BrowseAsync(rig, vault, item);
        var names = new List<string>();
        var costs = new List<int>();

        reads!.Take();
        for (long? next = 0; next is { } position;)
        {
            var page = await tree.ListAsync(FilePath.Root, position, 50, Rig.Token);
            names.AddRange(page.Entries.Select(e => e.Text));
            costs.Add(reads.Take());
            next = page.Next;
        }

        Assert.Equal(Enumerable.Range(0, Files), names.Select(name => int.Parse(name[..4], CultureInfo.InvariantCulture)));
        Assert.Equal(Files / 50, costs.Count);
        // The first reads where the folder's pages are as well.
        Assert.True(costs.Max() <= costs[0], $"Pages cost {string.Join(", ", costs)} reads.");
    }

    private static async Task<IFileTree> BrowseAsync(Rig rig, Vault vault, ProtectedItem item) =>
        await new PointFileBrowser(rig.Points, rig.Ledger, rig.Stores, rig.Holds, new NoReader()).OpenAsync(vault, item, (await rig.NewestAsync(item)).Name, Rig.Token);

    private static FilePath At(string path) => FilePath.TryParse(path, out var found) ? found : throw new ArgumentException(path);

    private sealed class NoReader : IFileReader
    {
        public Task<IFileTree> OpenAsync(string key, Func<CancellationToken, Task<IReadOnlyList<Blocks.IBlockDevice>>> openDisks, CancellationToken cancellationToken) => throw new InvalidOperationException("Shares have no disks.");
    }
}
