using System.Formats.Tar;
using Strongroom.Cli.Files;

namespace Strongroom.Cli.Tests.Files;

/// <summary>Unpacking what a server sends: it may be another's, or broken.</summary>
public sealed class TarExtractionTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("strongroom-tar-");

    private string Target => Path.Combine(_folder.FullName, "target");

    public void Dispose() => _folder.Delete(true);

    [Fact]
    public async Task Files_folders_links_modes_and_times_are_made()
    {
        var (bytes, notes) = await UnpackAsync(
            new GnuTarEntry(TarEntryType.Directory, "top/") { Mode = (UnixFileMode)0x16D }, Entry("top/a", "content"),
            new GnuTarEntry(TarEntryType.HardLink, "top/b") { LinkName = "top/a" }, new GnuTarEntry(TarEntryType.SymbolicLink, "top/sub/link") { LinkName = "../../../outside" }, new GnuTarEntry(TarEntryType.Fifo, "top/pipe"));
        Assert.Equal((7, 1), (bytes, notes.Count));
        Assert.Equal(["a", "b", "sub"], Directory.GetFileSystemEntries(Target).Select(p => Path.GetFileName(p)!).Order(StringComparer.Ordinal));
        Assert.Equal("content", await File.ReadAllTextAsync(Path.Combine(Target, "b"), TestContext.Current.CancellationToken));
        Assert.Equal("../../../outside", new FileInfo(Path.Combine(Target, "sub", "link")).LinkTarget);
        Assert.Equal(((UnixFileMode)0x1A0, 1_000_000_000), (File.GetUnixFileMode(Path.Combine(Target, "a")), new DateTimeOffset(File.GetLastWriteTimeUtc(Path.Combine(Target, "a"))).ToUnixTimeSeconds()));
        Assert.Equal((UnixFileMode)0x16D, File.GetUnixFileMode(Target));
        File.SetUnixFileMode(Target, (UnixFileMode)0x1ED);
    }

    [Theory]
    [InlineData("top/../../x")]
    [InlineData("/x")]
    [InlineData("top/./x")]
    public async Task Names_that_lead_elsewhere_are_refused(string name)
    {
        await Assert.ThrowsAsync<InvalidDataException>(() => UnpackAsync(Entry(name, "bad")));
        Assert.Empty(_folder.EnumerateFiles("*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Nothing_is_written_through_a_link()
    {
        var outside = _folder.CreateSubdirectory("outside").FullName;
        await Assert.ThrowsAsync<IOException>(() => UnpackAsync(new GnuTarEntry(TarEntryType.SymbolicLink, "top/link") { LinkName = outside }, Entry("top/link/x", "bad")));
        await Assert.ThrowsAsync<IOException>(() => UnpackAsync(new GnuTarEntry(TarEntryType.SymbolicLink, "top/l2") { LinkName = outside }, new GnuTarEntry(TarEntryType.SymbolicLink, "top/l2/x") { LinkName = "y" }));
        await Assert.ThrowsAsync<InvalidDataException>(() => UnpackAsync(new GnuTarEntry(TarEntryType.HardLink, "top/hard") { LinkName = "../outside/secret" }));
        Assert.Empty(Directory.GetFileSystemEntries(outside));
    }

    [Fact]
    public async Task An_archive_that_is_cut_off_is_an_error()
    {
        var whole = await ArchiveAsync(Entry("top/a", new string('x', 5000)));
        await Assert.ThrowsAnyAsync<IOException>(() => TarExtraction.RunAsync(new MemoryStream(whole[..3000]), Target, false, TestContext.Current.CancellationToken));
        Assert.Empty(_folder.EnumerateFileSystemInfos());
    }

    [Fact]
    public async Task Until_all_is_there_only_the_caller_may_look_into_it()
    {
        var whole = await ArchiveAsync(new GnuTarEntry(TarEntryType.Directory, "top/") { Mode = (UnixFileMode)0x1FF }, Entry("top/a", "content"), Entry("top/b", "more"));
        var modes = new List<UnixFileMode>();
        await TarExtraction.RunAsync(
            new WatchedStream(whole, () => modes.AddRange(_folder.EnumerateDirectories().Select(static d => d.UnixFileMode))), Target, false, TestContext.Current.CancellationToken);
        Assert.Equal([(UnixFileMode)0x1C0], modes.Distinct());
        Assert.Equal((UnixFileMode)0x1FF, File.GetUnixFileMode(Target));
        Assert.Equal(["target"], _folder.EnumerateFileSystemInfos().Select(static f => f.Name));
    }

    [Fact]
    public async Task What_came_to_the_targets_name_meanwhile_stays()
    {
        var whole = await ArchiveAsync(new GnuTarEntry(TarEntryType.Directory, "top/"), Entry("top/a", "content"));
        await Assert.ThrowsAsync<IOException>(() => TarExtraction.RunAsync(
            new WatchedStream(whole, () => Directory.CreateDirectory(Target)), Target, false, TestContext.Current.CancellationToken));
        Assert.Equal(["target"], _folder.EnumerateFileSystemInfos().Select(static f => f.Name));
        Assert.Empty(Directory.GetFileSystemEntries(Target));
    }

    [Fact]
    public async Task What_has_no_folder_at_its_top_is_refused()
    {
        await Assert.ThrowsAsync<InvalidDataException>(() => UnpackAsync(new GnuTarEntry(TarEntryType.SymbolicLink, "link") { LinkName = "/etc" }));
        await Assert.ThrowsAsync<InvalidDataException>(() => UnpackAsync(new GnuTarEntry(TarEntryType.Fifo, "pipe")));
        await Assert.ThrowsAsync<InvalidDataException>(() => UnpackAsync(Entry("file", "content")));
        Assert.Empty(_folder.EnumerateFileSystemInfos());
    }

    [Fact]
    public async Task Volumes_of_the_root_keep_their_names()
    {
        var archive = await ArchiveAsync(
            new GnuTarEntry(TarEntryType.Directory, "disk0-part1/"), Entry("disk0-part1/a", "one"), new GnuTarEntry(TarEntryType.Directory, "disk0-part2/"), Entry("disk0-part2/a", "two"));
        await TarExtraction.RunAsync(new MemoryStream(archive), Target, true, TestContext.Current.CancellationToken);
        Assert.Equal("one", await File.ReadAllTextAsync(Path.Combine(Target, "disk0-part1", "a"), TestContext.Current.CancellationToken));
        Assert.Equal("two", await File.ReadAllTextAsync(Path.Combine(Target, "disk0-part2", "a"), TestContext.Current.CancellationToken));
    }

    private static GnuTarEntry Entry(string name, string content) => new(TarEntryType.RegularFile, name)
    {
        DataStream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(content)),
        Mode = (UnixFileMode)0x9A0,
        ModificationTime = DateTimeOffset.FromUnixTimeSeconds(1_000_000_000),
    };

    private async Task<(long, IReadOnlyList<string>)> UnpackAsync(params GnuTarEntry[] entries) =>
        await TarExtraction.RunAsync(new MemoryStream(await ArchiveAsync(entries)), Target, false, TestContext.Current.CancellationToken);

    private static async Task<byte[]> ArchiveAsync(params GnuTarEntry[] entries)
    {
        var output = new MemoryStream();
        await using (var tar = new TarWriter(output, TarEntryFormat.Gnu, leaveOpen: true))
        {
            foreach (var entry in entries) await tar.WriteEntryAsync(entry, TestContext.Current.CancellationToken);
        }

        return output.ToArray();
    }
}
