using Strongroom.Cli.Files;

namespace Strongroom.Cli.Tests.Files;

/// <summary>Files that have their names only when they are whole.</summary>
public sealed class WholeFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("strongroom-whole-");

    private string Target => Path.Combine(_folder.FullName, "target");

    public void Dispose() => _folder.Delete(true);

    [Fact]
    public async Task Only_the_file_is_left()
    {
        Assert.Equal(3, await WholeFile.WriteAsync(new MemoryStream([1, 2, 3]), Target, null, null, TestContext.Current.CancellationToken));
        Assert.Equal(["target"], Names());
    }

    [Fact]
    public async Task A_part_that_was_there_already_stays()
    {
        await File.WriteAllTextAsync(Target + ".part", "the user's own", TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<IOException>(() => WholeFile.WriteAsync(new MemoryStream([1]), Target, null, null, TestContext.Current.CancellationToken));
        Assert.Equal("the user's own", await File.ReadAllTextAsync(Target + ".part", TestContext.Current.CancellationToken));
        Assert.Equal(["target.part"], Names());
    }

    [Fact]
    public async Task A_target_that_came_meanwhile_stays_and_our_part_goes()
    {
        await File.WriteAllTextAsync(Target, "the user's own", TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<IOException>(() => WholeFile.WriteAsync(new MemoryStream([1]), Target, null, null, TestContext.Current.CancellationToken));
        Assert.Equal("the user's own", await File.ReadAllTextAsync(Target, TestContext.Current.CancellationToken));
        Assert.Equal(["target"], Names());
    }

    [Fact]
    public async Task Mode_and_time_are_kept_and_until_then_nobody_else_may_read_it()
    {
        var time = DateTimeOffset.FromUnixTimeSeconds(1_000_000_000);
        var modes = new List<UnixFileMode>();
        await WholeFile.WriteAsync(new WatchedStream([1], () => modes.Add(File.GetUnixFileMode(Target + ".part"))), Target, (UnixFileMode)0x1A4, time, TestContext.Current.CancellationToken);
        Assert.Equal([(UnixFileMode)0x180], modes.Distinct());
        Assert.Equal(((UnixFileMode)0x1A4, time.UtcDateTime), (File.GetUnixFileMode(Target), File.GetLastWriteTimeUtc(Target)));
    }

    [Fact]
    public async Task A_file_of_unknown_mode_is_its_owners_alone()
    {
        await WholeFile.WriteAsync(new MemoryStream([1]), Target, null, null, TestContext.Current.CancellationToken);
        Assert.Equal((UnixFileMode)0x180, File.GetUnixFileMode(Target));
    }

    private IEnumerable<string> Names() => _folder.EnumerateFileSystemInfos().Select(static f => f.Name);
}
