using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Strongroom.Clients.Peers;

namespace Strongroom.Clients.FileBrowsing;

/// <summary>Files of a recovery point, listed and downloaded from a real server without mounting anything.</summary>
public sealed class FileBrowsingTests(FileBrowsingLab lab) : IClassFixture<FileBrowsingLab>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task The_top_lists_every_volume_with_what_is_on_it_and_why_it_cannot_be_read()
    {
        var volumes = await lab.ListAsync("/");
        Assert.Equal(
            ["disk0-part1 vfat EFI ok", "disk0-part2 ext4 boot ok", "disk0-part4 ntfs Windows ok", "disk0-part5 unknown  no", "disk1 btrfs  ok", "disk2 unknown  no", "disk3 ext4  ok", "vg0-root xfs  ok", "vg0-swap swap  no"],
            volumes.Select(v => $"{v["name"]} {v["fileSystem"]} {v["label"]} {(v["unreadable"] is null ? "ok" : "no")}"));
        Assert.All(volumes, v => Assert.True((long)v["size"]! > 0));
        Assert.All(volumes, v => Assert.Equal("volume", (string?)v["type"]));
    }

    [Theory(Timeout = 300_000)]
    [InlineData("/disk0-part1")]
    [InlineData("/disk0-part2")]
    [InlineData("/disk0-part4")]
    [InlineData("/disk1/home")]
    [InlineData("/vg0-root")]
    public async Task Files_have_the_bytes_that_they_had_whole_and_in_parts(string volume)
    {
        using (var whole = await lab.DownloadAsync(volume + "/big.bin"))
        {
            Assert.Equal(HttpStatusCode.OK, whole.StatusCode);
            Assert.Equal(SampleFileSystems.Big.Length, whole.Content.Headers.ContentLength);
            Assert.Equal("attachment; filename=big.bin; filename*=UTF-8''big.bin", whole.Content.Headers.ContentDisposition!.ToString());
            Assert.True((await whole.Content.ReadAsByteArrayAsync(Cancelled)).AsSpan().SequenceEqual(SampleFileSystems.Big));
        }

        using var part = await lab.DownloadAsync(volume + "/big.bin", new RangeHeaderValue(3_000_000, 3_000_999));
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal(SampleFileSystems.Big[3_000_000..3_001_000], await part.Content.ReadAsByteArrayAsync(Cancelled));
    }

    [Theory(Timeout = 300_000)]
    [InlineData("/disk0-part2")]
    [InlineData("/disk1/home")]
    [InlineData("/vg0-root")]
    public async Task Entries_say_what_they_are(string volume)
    {
        var entries = (await lab.ListAsync(volume)).ToDictionary(e => (string)e["path"]!);
        var prefix = volume + "/";
        Assert.Equal("symlink /etc/passwd", $"{entries[prefix + "absolute"]["type"]} {entries[prefix + "absolute"]["linkTarget"]}");
        Assert.Equal("fifo", (string?)entries[prefix + "fifo"]["type"]);
        Assert.Equal("directory 1000 1001", $"{entries[prefix + "sub"]["type"]} {entries[prefix + "sub"]["uid"]} {entries[prefix + "sub"]["gid"]}");
        Assert.Equal(1L << 40, (long)entries[prefix + "sparse"]["size"]!);
        Assert.Equal("odd\uFFFD\nname", (string?)entries[prefix + "odd%FF%0Aname"]["name"]);
        using var odd = await lab.DownloadAsync(prefix + "odd%FF%0Aname");
        Assert.Equal("odd", await odd.Content.ReadAsStringAsync(Cancelled));

        var hello = Assert.Single(await lab.ListAsync(prefix + "sub/deep"));
        Assert.Equal("4750 6 2001-02-03T04:05:06.0000000Z", $"{hello["mode"]} {hello["size"]} {hello["lastModified"]}");
        // Within a path links are followed as the machine would, with the volume's top as the root.
        using var through = await lab.DownloadAsync(prefix + "folder/deep/hello.txt");
        Assert.Equal("hello\n", await through.Content.ReadAsStringAsync(Cancelled));
    }

    [Fact(Timeout = 300_000)]
    public async Task A_great_folder_comes_in_pages_and_each_name_once()
    {
        List<string> names = [];
        var pages = 0;
        for (string? next = lab.FilesUrl("/disk0-part2/many"); next is not null; pages++)
        {
            var page = await lab.Client.GetAsync(next, Cancelled);
            names.AddRange(page["value"]!.AsArray().Select(e => (string)e!["name"]!));
            next = (string?)page["nextLink"];
        }

        Assert.Equal(3, pages);
        Assert.Equal(Enumerable.Range(0, SampleFileSystems.ManyCount).Select(i => $"file {i:0000}"), names);
    }

    [Theory(Timeout = 300_000)]
    [InlineData("files", "/disk0-part2/absent", 404, "FileNotFound")]
    [InlineData("files", "/disk9", 404, "FileNotFound")]
    [InlineData("files", "/disk0-part2/big.bin", 400, "NotADirectory")]
    [InlineData("files", "/disk0-part2/escape/passwd", 404, "FileNotFound")]
    [InlineData("files", "/disk0-part2/loop/x", 404, "FileNotFound")]
    [InlineData("files", "/disk0-part2/../disk1", 400, "InvalidParameter")]
    [InlineData("files", "disk0-part2", 400, "InvalidParameter")]
    [InlineData("files", "/disk0-part2/%zz", 400, "InvalidParameter")]
    [InlineData("files", "/vg0-swap", 409, "VolumeNotReadable")]
    [InlineData("files", "/disk2", 409, "VolumeNotReadable")]
    [InlineData("files/download", "/disk0-part2/fifo", 400, "NotAFile")]
    [InlineData("files/download", "/disk0-part2/absolute", 400, "NotAFile")]
    [InlineData("files/download", "/disk0-part2", 400, "NotAFile")]
    [InlineData("files/download", "/disk0-part2&format=rar", 400, "InvalidParameter")]
    public async Task What_cannot_be_shown_is_an_error_that_says_why(string what, string path, int status, string code)
    {
        using var answer = await lab.Client.SendAsync(HttpMethod.Get, lab.FilesUrl(path, what), null, Cancelled);
        var error = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancelled))!["error"]!;
        Assert.Equal($"{status} {code}", $"{(int)answer.StatusCode} {error["code"]}");
    }

    [Fact(Timeout = 300_000)]
    public async Task A_tar_of_a_folder_is_what_was_backed_up()
    {
        var file = lab.Folder.Combine("home.tar");
        await using (var target = File.Create(file))
        using (var answer = await lab.DownloadAsync("/vg0-root/sub&format=tar"))
        {
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            await answer.Content.CopyToAsync(target, Cancelled);
        }

        var listed = (await CommandResult.RunAsync("tar", ["--numeric-owner", "--utc", "--full-time", "-tvf", file], null, Cancelled)).Succeeded().StandardOutput;
        Assert.Contains("-rwsr-x--- 1000/1001", listed, StringComparison.Ordinal);
        Assert.Contains("2001-02-03 04:05:06 sub/deep/hello.txt", listed, StringComparison.Ordinal);
        Assert.Contains("sub/link -> deep/hello.txt", listed, StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_zip_of_a_folder_opens_elsewhere()
    {
        using var answer = await lab.DownloadAsync("/disk0-part4/sub&format=zip");
        await using var content = new MemoryStream(await answer.Content.ReadAsByteArrayAsync(Cancelled));
        using var zip = new System.IO.Compression.ZipArchive(content);
        Assert.Equal(["sub/", "sub/deep/", "sub/deep/hello.txt"], zip.Entries.Select(e => e.FullName));
        using var hello = new StreamReader(zip.GetEntry("sub/deep/hello.txt")!.Open());
        Assert.Equal("hello\n", await hello.ReadToEndAsync(Cancelled));
    }

    [Fact(Timeout = 300_000)]
    public async Task A_damaged_file_system_is_an_error_or_a_part_of_the_files_and_the_server_goes_on()
    {
        using var answer = await lab.Client.SendAsync(HttpMethod.Get, lab.FilesUrl("/disk3"), null, Cancelled);
        Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Conflict, $"{answer.StatusCode}");
        Assert.Equal(9, (await lab.ListAsync("/")).Count);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_reader_that_is_killed_is_one_error_and_leaves_nothing()
    {
        await lab.ListAsync("/disk0-part2");
        var reader = Assert.Single(ReaderProcesses.Of(lab.Server.ProcessId));
        Assert.NotEqual(0, ReaderProcesses.MachinesOf(reader.Folder));
        using (var process = Process.GetProcessById(reader.Id)) process.Kill();
        using (var answer = await lab.Client.SendAsync(HttpMethod.Get, lab.FilesUrl("/disk0-part2/sub"), null, Cancelled))
            Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        await ReaderProcesses.GoneAsync(reader, Cancelled);
        Assert.Single(await lab.ListAsync("/disk0-part2/sub/deep"));
    }
}
