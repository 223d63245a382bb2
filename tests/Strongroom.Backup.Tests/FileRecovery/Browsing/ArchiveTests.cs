using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Strongroom.Backup.FileRecovery.Browsing;
using Strongroom.Backup.FileRecovery.Browsing.Archives;
using Strongroom.Testing;

namespace Strongroom.Backup.Tests.FileRecovery.Browsing;

/// <summary>Folders as archives, read by others' programs.</summary>
public sealed class ArchiveTests
{
    private static readonly string s_long = string.Concat(Enumerable.Repeat("long-", 40));

    [Fact]
    public async Task A_tar_has_everything_under_relative_names()
    {
        var big = new byte[5000];
        new Random(1).NextBytes(big);
        var files = new MemoryFiles()
            .Add("/disk0/home", FileKind.Directory, mode: 0x1ED)
            .Add("/disk0/home/big", FileKind.File, big, inode: 7)
            .Add("/disk0/home/same", FileKind.File, big, inode: 7)
            .Add("/disk0/home/exact", FileKind.File, new byte[1024])
            .Add("/disk0/home/link", FileKind.SymbolicLink, linkTarget: "../../../etc/passwd")
            .Add("/disk0/home/pipe", FileKind.Fifo)
            .Add("/disk0/home/socket", FileKind.Socket)
            .Add("/disk0/home/" + s_long, FileKind.Directory)
            .Add("/disk0/home/" + s_long + "/" + s_long, FileKind.SymbolicLink, linkTarget: s_long);
        var entries = await TarAsync(files, "/disk0/home");
        Assert.Equal(
            [
                "home/ Directory 0755", "home/big RegularFile 0644", "home/exact RegularFile 0644", "home/link SymbolicLink 0644 ../../../etc/passwd", $"home/{s_long}/ Directory 0644",
                $"home/{s_long}/{s_long} SymbolicLink 0644 {s_long}", "home/pipe Fifo 0644", "home/same HardLink 0644 home/big",
            ],
            entries.Select(e => $"{e.Entry.Name} {e.Entry.EntryType} {Convert.ToString((int)e.Entry.Mode, 8).PadLeft(4, '0')} {e.Entry.LinkName}".TrimEnd()));
        Assert.Equal(big, entries[1].Content);
        Assert.All(entries, e => Assert.Equal((1000, 3_000_000, 1_000_000_000), (e.Entry.Uid, e.Entry.Gid, e.Entry.ModificationTime.ToUnixTimeSeconds())));
    }

    [Fact]
    public async Task A_tar_of_everything_leaves_out_what_cannot_be_read()
    {
        var entries = await TarAsync(new MemoryFiles().Add("/disk0/file", FileKind.File, [1, 2, 3]), "/");
        Assert.Equal(["disk0/", "disk0/file"], entries.Select(e => e.Entry.Name));
    }

    [Fact]
    public async Task Bytes_of_a_name_are_kept_in_a_tar()
    {
        var output = new MemoryStream();
        await TarArchive.WriteAsync(new MemoryFiles().Add("/disk0/a%FF%0A", FileKind.File, []), Path("/disk0/a%FF%0A"), output, CancellationToken.None);
        Assert.Equal([(byte)'a', 0xFF, 0x0A, 0], output.ToArray()[..4]);
    }

    [Fact]
    public async Task Numbers_that_do_not_fit_in_octal_are_kept()
    {
        var header = TarHeader.Of("x"u8, new() { Name = "x"u8.ToArray(), Kind = FileKind.File, UserId = 2_000_000_000, ModifiedSeconds = -5 }, '0', 0, default);
        await using var tar = new TarReader(new MemoryStream([.. header]));
        var entry = (await tar.GetNextEntryAsync(cancellationToken: TestContext.Current.CancellationToken))!;
        Assert.Equal((2_000_000_000, -5L), (entry.Uid, entry.ModificationTime.ToUnixTimeSeconds()));
        var huge = TarHeader.Of("x"u8, new() { Name = "x"u8.ToArray(), Kind = FileKind.File }, '0', 1L << 40, default);
        Assert.Equal([0x80, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0], huge[124..136]);
    }

    [Fact]
    public async Task A_zip_has_files_folders_and_links_and_no_name_that_leaves_it()
    {
        var files = new MemoryFiles()
            .Add("/disk0/home", FileKind.Directory, mode: 0x1ED)
            .Add("/disk0/home/%2E.%5C..%5Cx", FileKind.File, Encoding.UTF8.GetBytes("content"))
            .Add("/disk0/home/C:%FF", FileKind.File, [])
            .Add("/disk0/home/link", FileKind.SymbolicLink, linkTarget: "target")
            .Add("/disk0/home/pipe", FileKind.Fifo);
        var output = new AsyncOnlyStream();
        await ZipFolder.WriteAsync(files, Path("/disk0/home"), output, CancellationToken.None);
        using var zip = new ZipArchive(new MemoryStream(output.Written.ToArray()));
        Assert.Equal(["home/", "home/..%5C..%5Cx", "home/C%3A%FF", "home/link"], zip.Entries.Select(e => e.FullName));
        using var content = new StreamReader(zip.Entries[1].Open());
        Assert.Equal("content", await content.ReadToEndAsync(TestContext.Current.CancellationToken));
        Assert.Equal(0xA000, (zip.Entries[3].ExternalAttributes >> 16) & 0xF000);
    }

    [Fact]
    public async Task What_fails_on_the_way_leaves_no_archive_that_looks_whole()
    {
        var files = new MemoryFiles { FailsAt = 1500 }.Add("/disk0/a", FileKind.File, new byte[4000]);
        var (tar, zip) = (new MemoryStream(), new AsyncOnlyStream());
        await Assert.ThrowsAsync<FileBrowsingException>(() => TarArchive.WriteAsync(files, Path("/disk0"), tar, CancellationToken.None));
        await Assert.ThrowsAsync<FileBrowsingException>(() => ZipFolder.WriteAsync(files, Path("/disk0"), zip, CancellationToken.None));
        Assert.True(tar.Length < 4000);
        Assert.Throws<InvalidDataException>(() => new ZipArchive(new MemoryStream(zip.Written.ToArray())).Dispose());
    }

    [Fact]
    public async Task Folders_in_circles_come_to_an_end()
    {
        var failure = await Assert.ThrowsAsync<FileBrowsingException>(() => TarArchive.WriteAsync(new EndlessFiles((_, _) => new([Entry("again", FileKind.Directory)], null)), Path("/disk0"), Stream.Null, CancellationToken.None));
        Assert.Equal(FileBrowsingFault.NotFound, failure.Fault);
    }

    [Fact]
    public async Task Folders_that_are_deep_and_full_of_long_links_are_cut_off()
    {
        FileEntry[] full = [Entry("again", FileKind.Directory), .. Enumerable.Range(0, 499).Select(i => Entry($"link{i}", FileKind.SymbolicLink) with { LinkTarget = new byte[5000] })];
        var tree = new EndlessFiles((_, _) => new(full, null));
        var failure = await Assert.ThrowsAsync<FileBrowsingException>(() => TarArchive.WriteAsync(tree, Path("/disk0"), Stream.Null, CancellationToken.None));
        Assert.Equal(FileBrowsingFault.Damaged, failure.Fault);
        Assert.InRange(tree.ListCount * 500L * 5000, 0, FileWalk.MaxOpenBytes + (500 * 5000));
    }

    [Fact]
    public async Task Names_of_a_zip_have_no_more_bytes_than_can_be_kept()
    {
        var tree = new EndlessFiles((_, position) => new([.. Enumerable.Range(0, 500).Select(i => Entry($"{position + i}".PadLeft(1000, 'n'), FileKind.SymbolicLink))], position + 500));
        var failure = await Assert.ThrowsAsync<FileBrowsingException>(() => ZipFolder.WriteAsync(tree, Path("/disk0"), Stream.Null, CancellationToken.None));
        Assert.Equal((FileBrowsingFault.Damaged, true), (failure.Fault, failure.Message.Contains("32 MiB", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task First_names_of_files_in_a_tar_are_kept_up_to_a_bound_and_beyond_it_there_are_copies()
    {
        const int count = 20_000;
        FileEntry[] files = [.. Enumerable.Range(1, count).Concat([1, count]).Select((inode, i) => Entry($"{i}".PadLeft(1000, 'n'), FileKind.File) with { Inode = inode, LinkCount = 2 })];
        var output = new MemoryStream();
        await TarArchive.WriteAsync(new EndlessFiles((_, position) => new(files[(int)position..(int)Math.Min(files.Length, position + 500)], position + 500 < files.Length ? position + 500 : null)), Path("/disk0"), output, CancellationToken.None);
        output.Position = 0;
        await using var tar = new TarReader(output);
        var types = new List<TarEntryType>();
        while (await tar.GetNextEntryAsync(cancellationToken: TestContext.Current.CancellationToken) is { } entry) types.Add(entry.EntryType);
        Assert.Equal([TarEntryType.HardLink, TarEntryType.RegularFile], types[^2..]);
    }

    private static FileEntry Entry(string name, FileKind kind) => new() { Name = Encoding.UTF8.GetBytes(name), Kind = kind };

    private static async Task<List<(TarEntry Entry, byte[] Content)>> TarAsync(MemoryFiles files, string path)
    {
        var output = new AsyncOnlyStream();
        await TarArchive.WriteAsync(files, Path(path), output, CancellationToken.None);
        Assert.Equal(0, output.Written.Length % 512);
        await using var tar = new TarReader(new MemoryStream(output.Written.ToArray()));
        var entries = new List<(TarEntry, byte[])>();
        while (await tar.GetNextEntryAsync(copyData: true, TestContext.Current.CancellationToken) is { } entry)
        {
            var content = new MemoryStream();
            if (entry.DataStream is not null) await entry.DataStream.CopyToAsync(content, TestContext.Current.CancellationToken);
            entries.Add((entry, content.ToArray()));
        }

        return entries;
    }

    private static FilePath Path(string text) => FilePath.TryParse(text, out var path) ? path : throw new ArgumentException(text);

    /// <summary>As a server's answer: forward only, and never by blocking.</summary>
    private sealed class AsyncOnlyStream : Stream
    {
        public MemoryStream Written { get; } = new();

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => Written.WriteAsync(buffer, cancellationToken);

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => Written.WriteAsync(buffer, offset, count, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override void Flush() => throw new InvalidOperationException("Synchronous.");

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new InvalidOperationException("Synchronous.");
    }

    /// <summary>Folders that hold what they are told to.</summary>
    private sealed class EndlessFiles(Func<FilePath, long, FilePage> list) : IFileTree
    {
        public int ListCount { get; private set; }

        public Task<FileEntry> FindAsync(FilePath path, CancellationToken cancellationToken) => Task.FromResult(Entry("again", FileKind.Directory));

        public Task<FilePage> ListAsync(FilePath path, long position, int count, CancellationToken cancellationToken)
        {
            ListCount++;
            return Task.FromResult(list(path, position));
        }

        public Task<int> ReadAsync(FilePath path, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
