using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Strongroom.Clients.Rest;

namespace Strongroom.Clients.FileBrowsing;

/// <summary>Files of a recovery point, listed and downloaded from a real server without mounting anything.</summary>
public sealed class FileBrowsingTests(FileBrowsingLab lab) : IClassFixture<FileBrowsingLab>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact(Timeout = 1_800_000)]
    public async Task The_top_lists_every_volume_with_what_is_on_it_and_why_it_cannot_be_read()
    {
        var volumes = await lab.ListAsync("/");
        Assert.Equal(
            ["disk0-part1 vfat EFI ok", "disk0-part2 ext4 boot ok", "disk0-part4 ntfs Windows ok", "disk0-part5 unknown  no", "disk1 btrfs  ok", "disk2 unknown  no", "disk3 ext4  ok", "disk4", "disk5", "disk6", "vg0-root xfs  ok", "vg0-swap swap  no"],
            // What is found on the fuzzed ones is not known.
            volumes.Select(v => (string?)v["name"] is "disk4" or "disk5" or "disk6" ? $"{v["name"]}" : $"{v["name"]} {v["fileSystem"]} {v["label"]} {(v["unreadable"] is null ? "ok" : "no")}"));
        Assert.All(volumes, v => Assert.True((long)v["size"]! > 0));
        Assert.All(volumes, v => Assert.Equal("volume", (string?)v["type"]));
    }

    [Theory(Timeout = 1_800_000)]
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

    [Theory(Timeout = 1_800_000)]
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

    [Fact(Timeout = 1_800_000)]
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

    [Theory(Timeout = 1_800_000)]
    [InlineData("files", "/disk0-part2/absent", 404, "FileNotFound")]
    [InlineData("files", "/disk9", 404, "FileNotFound")]
    [InlineData("files", "/disk0-part2/big.bin", 400, "NotADirectory")]
    [InlineData("files", "/disk0-part2/escape/passwd", 404, "FileNotFound")]
    [InlineData("files", "/disk0-part2/loop/x", 404, "FileNotFound")]
    [InlineData("files", "/disk0-part2/../disk1", 400, "InvalidQueryParameter")]
    [InlineData("files", "disk0-part2", 400, "InvalidQueryParameter")]
    [InlineData("files", "/vg0-swap", 409, "VolumeNotReadable")]
    [InlineData("files", "/disk2", 409, "VolumeNotReadable")]
    [InlineData("files/download", "/vg0-swap&format=tar", 409, "VolumeNotReadable")]
    [InlineData("files/download", "/disk0-part2/fifo", 400, "NotAFile")]
    [InlineData("files/download", "/disk0-part2/absolute", 400, "NotAFile")]
    [InlineData("files/download", "/disk0-part2", 400, "NotAFile")]
    [InlineData("files/download", "/disk0-part2&format=rar", 400, "InvalidQueryParameter")]
    public async Task What_cannot_be_shown_is_an_error_that_says_why(string what, string path, int status, string code)
    {
        using var answer = await lab.Client.SendAsync(HttpMethod.Get, lab.FilesUrl(path, what), null, Cancelled);
        var error = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancelled))!["error"]!;
        Assert.Equal($"{status} {code}", $"{(int)answer.StatusCode} {error["code"]}");
    }

    [Fact(Timeout = 1_800_000)]
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

    [Fact(Timeout = 1_800_000)]
    public async Task A_zip_of_a_folder_opens_elsewhere()
    {
        using var answer = await lab.DownloadAsync("/disk0-part4/sub&format=zip");
        await using var content = new MemoryStream(await answer.Content.ReadAsByteArrayAsync(Cancelled));
        using var zip = new System.IO.Compression.ZipArchive(content);
        Assert.Equal(["sub/", "sub/deep/", "sub/deep/hello.txt"], zip.Entries.Select(e => e.FullName));
        using var hello = new StreamReader(zip.GetEntry("sub/deep/hello.txt")!.Open());
        Assert.Equal("hello\n", await hello.ReadToEndAsync(Cancelled));
    }

    [Theory(Timeout = 1_800_000)]
    [InlineData("/disk3")]
    [InlineData("/disk4")]
    [InlineData("/disk5")]
    [InlineData("/disk6")]
    public async Task A_damaged_file_system_is_an_error_or_a_part_of_the_files_and_the_server_goes_on(string volume)
    {
        using (var answer = await lab.Client.SendAsync(HttpMethod.Get, lab.FilesUrl(volume), null, Cancelled))
            Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Conflict, $"{answer.StatusCode}");
        try
        {
            using var answer = await lab.DownloadAsync(volume + "&format=zip");
            Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Conflict or HttpStatusCode.InternalServerError, $"{answer.StatusCode}");
        }
        catch (HttpRequestException)
        {
            // Cut where the damage begins.
        }

        Assert.Single(await lab.ListAsync("/disk0-part2/sub/deep"));
    }

    [Fact(Timeout = 1_800_000)]
    public async Task A_reader_that_is_killed_is_one_error_at_most_and_leaves_nothing()
    {
        await lab.ListAsync("/disk0-part2");
        var reader = Assert.Single(ReaderProcesses.Of(lab.Server.ProcessId));
        Assert.NotEqual(0, ReaderProcesses.MachinesOf(reader.Folder));
        using (var process = Process.GetProcessById(reader.Id)) process.Kill();
        using (var answer = await lab.Client.SendAsync(HttpMethod.Get, lab.FilesUrl("/disk0-part2/sub"), null, Cancelled))
        {
            // OK where the server saw the end before the request came, and has another reader.
            Assert.True(answer.StatusCode is HttpStatusCode.InternalServerError or HttpStatusCode.OK, $"{answer.StatusCode}");
        }

        await ReaderProcesses.GoneAsync(reader, Cancelled);
        Assert.Single(await lab.ListAsync("/disk0-part2/sub/deep"));
    }

    [Fact(Timeout = 1_800_000)]
    public async Task The_command_lists_and_fetches()
    {
        var volumes = (await FilesAsync("ls")).Succeeded().StandardOutput;
        Assert.Contains("disk0-part2      ext4           128 MiB \"boot\"", volumes, StringComparison.Ordinal);
        Assert.Contains("It is swap space", volumes, StringComparison.Ordinal);
        Assert.Equal("-rwsr-x---  1000  1001            6 2001-02-03 04:05:06 hello.txt", (await FilesAsync("ls", "/vg0-root/sub/deep")).Succeeded().StandardOutput.TrimEnd());
        var json = JsonNode.Parse((await FilesAsync("ls", "/disk0-part2", "--output", "json")).Succeeded().StandardOutput)!;
        Assert.Contains(json["entries"]!.AsArray(), e => (string?)e!["path"] == "/disk0-part2/odd%FF%0Aname");

        var (file, folder, odd, tar) = (lab.Folder.Combine("got.bin"), lab.Folder.Combine("got"), lab.Folder.Combine("odd"), lab.Folder.Combine("got.tar"));
        (await FilesAsync("get", "/disk0-part4/big.bin", "--to", file)).Succeeded();
        Assert.True((await File.ReadAllBytesAsync(file, Cancelled)).AsSpan().SequenceEqual(SampleFileSystems.Big));
        Assert.Contains("is there already", (await FilesAsync("get", "/disk0-part4/big.bin", "--to", file)).StandardError, StringComparison.Ordinal);
        (await FilesAsync("get", "/disk0-part2/odd%FF%0Aname", "--encoded", "--to", odd)).Succeeded();
        Assert.Equal("odd", await File.ReadAllTextAsync(odd, Cancelled));
        var hello = lab.Folder.Combine("hello.txt");
        (await FilesAsync("get", "/vg0-root/sub/deep/hello.txt", "--to", hello)).Succeeded();
        Assert.Equal(((UnixFileMode)0x1E8, new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc)), (File.GetUnixFileMode(hello), File.GetLastWriteTimeUtc(hello)));
        Assert.Contains("is a symbolic link to '/etc/passwd'", (await FilesAsync("get", "/disk0-part2/absolute", "--to", odd + "2")).StandardError, StringComparison.Ordinal);
        Assert.Contains("is a fifo", (await FilesAsync("get", "/disk0-part2/fifo", "--to", odd + "2")).StandardError, StringComparison.Ordinal);
        Assert.Contains("It is swap space", (await FilesAsync("get", "/vg0-swap", "--to", odd + "2")).StandardError, StringComparison.Ordinal);
        (await FilesAsync("get", "/vg0-root/sub", "--to", folder)).Succeeded();
        Assert.Equal("hello\n", await File.ReadAllTextAsync(Path.Combine(folder, "link"), Cancelled));
        Assert.Equal("deep/hello.txt", new FileInfo(Path.Combine(folder, "link")).LinkTarget);
        Assert.Equal(new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc), File.GetLastWriteTimeUtc(Path.Combine(folder, "deep", "hello.txt")));
        (await FilesAsync("get", "/vg0-root/sub", "--format", "tar", "--to", tar)).Succeeded();
        Assert.Contains("sub/deep/hello.txt", (await CommandResult.RunAsync("tar", ["-tf", tar], null, Cancelled)).Succeeded().StandardOutput, StringComparison.Ordinal);

        var missing = await FilesAsync("ls", "/vg0-root/absent");
        Assert.Equal((1, "strongroom: There is nothing at '/vg0-root/absent'."), (missing.ExitCode, missing.StandardError.Trim()));
    }

    [Fact(Timeout = 1_800_000)]
    public async Task Who_may_only_read_of_backups_reads_no_files()
    {
        var added = JsonNode.Parse((await CommandResult.RunAsync(
            Repository.ServerExecutable, ["principal", "add", "auditor", "--role", "Backup Reader", "--data", lab.Server.DataFolder], null, Cancelled)).Succeeded().StandardOutput)!;
        using var auditor = await ArmClient.SignInAsync(lab.Server, (string)added["appId"]!, (string)added["password"]!, Cancelled);
        using (var points = await auditor.SendAsync(HttpMethod.Get, lab.Names.ItemUrl("recoveryPoints"), null, Cancelled)) Assert.Equal(HttpStatusCode.OK, points.StatusCode);
        using var answer = await auditor.SendAsync(HttpMethod.Get, lab.FilesUrl("/"), null, Cancelled);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Fact(Timeout = 1_800_000)]
    public async Task A_server_that_is_killed_leaves_no_reader()
    {
        await lab.ListAsync("/disk0-part2");
        var reader = Assert.Single(ReaderProcesses.Of(lab.Server.ProcessId));
        lab.Server.KillAlone();
        await ReaderProcesses.GoneAsync(reader, Cancelled);
        await lab.Server.StartAsync(Cancelled);
        await lab.ReconnectAsync();
        Assert.Single(await lab.ListAsync("/disk0-part2/sub/deep"));
    }

    private Task<CommandResult> FilesAsync(string verb, params string[] arguments) => CommandResult.RunAsync(
        Repository.ServerExecutable, ["files", verb, .. arguments, "--data", lab.Server.DataFolder, "-g", lab.Names.Group, "-v", lab.Names.Vault, "-i", lab.Names.Machine], null, Cancelled);
}
