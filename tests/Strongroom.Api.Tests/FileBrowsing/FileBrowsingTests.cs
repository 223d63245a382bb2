using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Strongroom.Api.Tests.Access;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Arm;
using Strongroom.Backup.FileRecovery.Browsing;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.FileBrowsing;

/// <summary>Files of a recovery point over HTTP; what reads them is made of nothing.</summary>
public sealed class FileBrowsingTests : IAsyncLifetime
{
    private BackupHost _host = null!;
    private ProtectedMachine _web1 = null!;
    private string _point = "";

    public async ValueTask InitializeAsync()
    {
        _host = await BackupHost.StartAsync();
        _host.Files.Add("/disk0/a%FF%0A+b", FileKind.File, new byte[5000]).Add("/disk0/link", FileKind.SymbolicLink, linkTarget: "/etc/passwd").Add("/disk0/sub", FileKind.Directory)
            .Add("/disk0/sub/x", FileKind.File, [1, 2, 3]);
        _web1 = await ProtectedMachine.ProtectAsync(_host);
        _point = await _web1.BackUpAsync();
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Volumes_and_files_are_listed_as_documented()
    {
        Assert.Equal(
            """[{"name":"disk0","path":"/disk0","type":"volume","size":1073741824,"fileSystem":"ext4","label":"root"},{"name":"disk1","path":"/disk1","type":"volume","size":1048576,"fileSystem":"swap","unreadable":"It is swap space."}]""",
            (await _host.GetAsync(Files(""))).Body!["value"]!.ToJsonString());
        JsonNode[] entries = [.. (await _host.GetAsync(Files("?path=/disk0"))).Value.Select(static e => e!)];
        Assert.True(JsonNode.DeepEquals(
            JsonNode.Parse("""{"name":"a\uFFFD\n b","path":"/disk0/a%FF%0A%20b","type":"file","size":5000,"lastModified":"2001-09-09T01:46:40.1234567Z","mode":"0644","uid":1000,"gid":3000000}"""
                .Replace(" b", "+b", StringComparison.Ordinal).Replace("%20b", "%2Bb", StringComparison.Ordinal)), entries[0]), entries[0].ToJsonString());
        Assert.Equal("symlink /etc/passwd", $"{entries[1]["type"]} {entries[1]["linkTarget"]}");
        Assert.Equal(0, _host.Files.OpenCount);
    }

    [Fact]
    public async Task A_name_whose_path_is_too_long_does_not_hide_the_others()
    {
        string folder = "/disk0" + string.Concat(Enumerable.Repeat("/" + new string('f', 1020), 5));
        _host.Files.Add(folder, FileKind.Directory).Add(folder + "/a", FileKind.File).AddTooLong(folder, [.. Enumerable.Repeat((byte)'z', 1000)]);
        Answer answer = await _host.GetAsync(Files("?path=" + folder));
        Assert.Equal((200, 2), (answer.Status, answer.Value.Count));
        Assert.Equal(folder + "/" + new string('z', 1000), (string?)answer.Value[^1]!["path"]);
    }

    [Fact]
    public async Task Pages_follow_each_other_with_the_path_byte_for_byte()
    {
        _host.Files.Add("/disk0/sub/y%FF", FileKind.Directory).Add("/disk0/sub/y%FF/1", FileKind.Fifo).Add("/disk0/sub/y%FF/2", FileKind.Fifo).Add("/disk0/sub/y%FF/3", FileKind.Fifo);
        Answer first = await _host.GetAsync(Files("?path=/disk0/sub/y%FF&$top=2"));
        string next = (string)first.Body!["nextLink"]!;
        Assert.Contains("path=/disk0/sub/y%FF&", next, StringComparison.Ordinal);
        Answer last = await _host.FollowAsync(next);
        Assert.Equal(["1", "2", "3"], first.Value.Concat(last.Value).Select(e => (string)e!["name"]!));
        Assert.Null(last.Body!["nextLink"]);
        Assert.Equal((400, "InvalidQueryParameter"), Outcome(await _host.GetAsync(Files("?path=/disk0&$skipToken=MXg"))));
    }

    [Fact]
    public async Task A_file_comes_whole_or_in_parts_as_an_attachment()
    {
        using HttpResponseMessage part = await DownloadAsync("?path=/disk0/a%FF%0A%2Bb", new RangeHeaderValue(4990, null));
        Assert.Equal((HttpStatusCode.PartialContent, 10), (part.StatusCode, part.Content.Headers.ContentLength));
        using HttpResponseMessage whole = await DownloadAsync("?path=/disk0/a%FF%0A%2Bb", null);
        Assert.Equal((HttpStatusCode.OK, 5000), (whole.StatusCode, (await whole.Content.ReadAsByteArrayAsync()).Length));
        Assert.Equal("0644", whole.Headers.GetValues("x-ms-mode").Single());
        Assert.DoesNotContain('\n', whole.Content.Headers.GetValues("Content-Disposition").Single());
        using HttpResponseMessage tar = await DownloadAsync("?path=/disk0/sub&format=tar", null);
        Assert.Equal(("application/x-tar", "sub.tar"), (tar.Content.Headers.ContentType!.MediaType, tar.Content.Headers.ContentDisposition!.FileNameStar));
        Assert.Equal(0, (await tar.Content.ReadAsByteArrayAsync()).Length % 512);
        Assert.Equal(0, _host.Files.OpenCount);
    }

    [Fact]
    public async Task A_range_of_another_unit_is_ignored()
    {
        using HttpResponseMessage whole = await DownloadAsync("?path=/disk0/a%FF%0A%2Bb", new RangeHeaderValue(1, 2) { Unit = "lines" });
        Assert.Equal((HttpStatusCode.OK, 5000), (whole.StatusCode, whole.Content.Headers.ContentLength));
    }

    [Theory]
    [InlineData("?path=/disk0/sub/x", "'/disk0/sub/x' is a file")]
    [InlineData("?path=/disk0/link", "'/disk0/link' is a symbolic link to '/etc/passwd'")]
    [InlineData("/download?path=/disk0/link", "'/disk0/link' is a symbolic link to '/etc/passwd'")]
    [InlineData("/download?path=/disk0/pipe", "'/disk0/pipe' is a fifo")]
    public async Task What_is_there_instead_is_told(string tail, string text)
    {
        _host.Files.Add("/disk0/pipe", FileKind.Fifo);
        Assert.StartsWith(text, (await _host.GetAsync(Files(tail))).Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task What_breaks_on_the_way_does_not_end_as_if_it_were_whole()
    {
        _host.Files.FailsAt = 3000;
        foreach (string query in new[] { "?path=/disk0/a%FF%0A%2Bb", "?path=/disk0&format=tar", "?path=/disk0&format=zip" })
        {
            await Assert.ThrowsAsync<HttpRequestException>(async () =>
            {
                using HttpResponseMessage answer = await DownloadAsync(query, null);
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
                await answer.Content.ReadAsByteArrayAsync();
            });
        }

        // The client sees the end of the connection before the server has cleaned up behind it.
        while (_host.Files.OpenCount > 0) await Task.Delay(10, TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("", 200, null)]
    [InlineData("?path=x", 400, "InvalidQueryParameter")]
    [InlineData("?path=/disk0&path=/disk1", 400, "InvalidQueryParameter")]
    [InlineData("?path=/disk0/%2e%2e", 400, "InvalidQueryParameter")]
    [InlineData("?path=/disk0/nothing", 404, "FileNotFound")]
    [InlineData("?path=/disk0/link", 400, "NotADirectory")]
    [InlineData("?path=/disk1", 409, "VolumeNotReadable")]
    [InlineData("/download?path=/disk0/sub", 400, "NotAFile")]
    [InlineData("/download?path=/disk0/link", 400, "NotAFile")]
    [InlineData("/download?path=/disk1", 409, "VolumeNotReadable")]
    [InlineData("/download?path=/disk1&format=tar", 409, "VolumeNotReadable")]
    [InlineData("/download?path=/disk1&format=zip", 409, "VolumeNotReadable")]
    [InlineData("/download?path=/disk0/nothing&format=zip", 404, "FileNotFound")]
    [InlineData("/download?path=/disk0&format=7z", 400, "InvalidQueryParameter")]
    [InlineData("/upload?path=/", 404, "InvalidResourceType")]
    public async Task Errors_have_Azures_shape(string tail, int status, string? code) => Assert.Equal((status, code), Outcome(await _host.GetAsync(Files(tail))));

    [Theory]
    [InlineData(FileBrowsingFault.Busy, 503, "ServerBusy")]
    [InlineData(FileBrowsingFault.NotInstalled, 503, "FileReaderNotInstalled")]
    [InlineData(FileBrowsingFault.ReaderFailed, 500, "FileReaderFailed")]
    [InlineData(FileBrowsingFault.Damaged, 409, "FileSystemDamaged")]
    public async Task What_the_reader_cannot_do_is_told(FileBrowsingFault fault, int status, string code)
    {
        _host.Files.Failure = new(fault, "The reason.");
        Answer answer = await _host.GetAsync(Files(""));
        Assert.Equal((status, code), Outcome(answer));
        Assert.StartsWith("The reason.", answer.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Points_items_and_vaults_that_are_not_there_are_404()
    {
        Assert.Equal((404, "BMSUserErrorRecoveryPointNotFound"), Outcome(await _host.GetAsync(Files("").Replace(_point, "1", StringComparison.Ordinal))));
        Assert.Equal((404, "ResourceNotFound"), Outcome(await _host.GetAsync(Files("").Replace("/vaults/v1/", "/vaults/v2/", StringComparison.Ordinal))));
        Assert.Equal((404, "BMSUserErrorContainerObjectNotFound"), Outcome(await _host.GetAsync(Files("").Replace("IaasVMContainer;", "x", StringComparison.Ordinal))));
    }

    [Fact]
    public async Task A_point_on_its_way_to_the_vault_is_409()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _host.Fabric.Readable = gate.Task;
        _host.Time.Advance(TimeSpan.FromMinutes(1));
        string job = await _web1.JobOfAsync(await _host.PostAsync(_web1.Item + "/backup", ProtectedMachine.BackupBody));
        string moving;
        do moving = (string)(await _host.GetAsync(_web1.Item + "/recoveryPoints")).Value[0]!["name"]!;
        while (moving == _point);
        Assert.Equal((409, "BMSUserErrorObjectLocked"), Outcome(await _host.GetAsync(Files("").Replace(_point, moving, StringComparison.Ordinal))));
        gate.SetResult();
        await _host.WaitAsync(_web1.Vault, job);
        Assert.Equal(200, (await _host.GetAsync(Files("").Replace(_point, moving, StringComparison.Ordinal))).Status);
    }

    [Fact]
    public async Task Who_may_mount_may_look_and_a_reader_may_not()
    {
        await using GuardedHost guarded = await GuardedHost.StartAsync();
        var web2 = new ProtectedMachine(guarded.Host, guarded.Host.Fabric.Add("web2"));
        Assert.Equal(201, (await guarded.SendAsync(Tokens.Administrator, "PUT", BackupHost.Vault, """{"location":"home","sku":{"name":"RS0"},"properties":{}}""")).Status);
        Assert.Equal(202, (await guarded.SendAsync(Tokens.Administrator, "PUT", web2.Item, web2.EnableBody())).Status);
        string[] paths = [Path(web2, "1") + "/files", Path(web2, "1") + "/files/download", Path(web2, "1").Replace("/v1/", "/v9/", StringComparison.Ordinal) + "/files"];
        foreach (RoleDefinition role in new[] { BuiltInRoles.BackupReader, BuiltInRoles.Reader })
        {
            Guid reader = await guarded.PrincipalAsync(role, BackupHost.Vault);
            foreach (string path in paths) Assert.Equal((403, "AuthorizationFailed"), Outcome(await guarded.SendAsync(reader, "GET", path)));
        }

        Guid operates = await guarded.PrincipalAsync(BuiltInRoles.BackupOperator, BackupHost.Vault);
        foreach (string path in paths[..2]) Assert.Equal((404, "BMSUserErrorRecoveryPointNotFound"), Outcome(await guarded.SendAsync(operates, "GET", path)));
        Assert.Equal((403, "AuthorizationFailed"), Outcome(await guarded.SendAsync(operates, "GET", paths[2])));
    }

    private static string Path(ProtectedMachine machine, string point) =>
        machine.Item.Replace("Microsoft.RecoveryServices", "Strongroom.RecoveryServices", StringComparison.Ordinal) + "/recoveryPoints/" + point;

    private string Files(string tail) => Path(_web1, _point) + "/files" + tail;

    private async Task<HttpResponseMessage> DownloadAsync(string query, RangeHeaderValue? range)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Files("/download" + query) + "&api-version=2024-04-01");
        request.Headers.Range = range;
        return await _host.RespondAsync(request);
    }

    private static (int, string?) Outcome(Answer answer) => (answer.Status, answer.Code);
}
