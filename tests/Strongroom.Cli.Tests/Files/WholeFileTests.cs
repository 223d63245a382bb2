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
        Assert.Equal(3, await WholeFile.WriteAsync(new MemoryStream([1, 2, 3]), Target, TestContext.Current.CancellationToken));
        Assert.Equal(["target"], Names());
    }

    [Fact]
    public async Task A_part_that_was_there_already_stays()
    {
        await File.WriteAllTextAsync(Target + ".part", "the user's own", TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<IOException>(() => WholeFile.WriteAsync(new MemoryStream([1]), Target, TestContext.Current.CancellationToken));
        Assert.Equal("the user's own", await File.ReadAllTextAsync(Target + ".part", TestContext.Current.CancellationToken));
        Assert.Equal(["target.part"], Names());
    }

    [Fact]
    public async Task A_target_that_came_meanwhile_stays_and_our_part_goes()
    {
        await File.WriteAllTextAsync(Target, "the user's own", TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<IOException>(() => WholeFile.WriteAsync(new MemoryStream([1]), Target, TestContext.Current.CancellationToken));
        Assert.Equal("the user's own", await File.ReadAllTextAsync(Target, TestContext.Current.CancellationToken));
        Assert.Equal(["target"], Names());
    }

    private IEnumerable<string> Names() => _folder.EnumerateFileSystemInfos().Select(static f => f.Name);
}
