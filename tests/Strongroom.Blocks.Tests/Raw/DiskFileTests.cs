namespace Strongroom.Blocks.Tests.Raw;

public sealed class DiskFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_symbolic_link_is_refused()
    {
        await File.WriteAllTextAsync(_folder["real"], "x");
        File.CreateSymbolicLink(_folder["link"], _folder["real"]);
        var exception = Assert.Throws<IOException>(() => DiskFile.OpenRegular(_folder["link"]));
        Assert.Contains("symbolic link", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pipe_is_refused_at_once_and_not_waited_for()
    {
        await Programs.RunAsync("/usr/bin/mkfifo", _folder["pipe"]);
        Assert.Throws<IOException>(() => DiskFile.OpenRegular(_folder["pipe"]));
    }

    [Fact]
    public void Folders_devices_and_nothing_are_refused()
    {
        Assert.Throws<IOException>(() => DiskFile.OpenRegular(_folder.Path));
        Assert.Throws<IOException>(() => DiskFile.OpenRegular("/dev/null"));
        Assert.Throws<IOException>(() => DiskFile.OpenRegular(_folder["missing"]));
    }

    [Fact]
    public async Task The_identity_tells_files_and_changes_apart()
    {
        await File.WriteAllTextAsync(_folder["a"], "one");
        await File.WriteAllTextAsync(_folder["b"], "one");
        using var a = DiskFile.OpenRegular(_folder["a"]);
        using var again = DiskFile.OpenRegular(_folder["a"]);
        using var b = DiskFile.OpenRegular(_folder["b"]);
        var before = a.Identity;
        Assert.Equal(before, again.Identity);
        Assert.NotEqual(before.Inode, b.Identity.Inode);
        Assert.Equal(3, before.LengthBytes);
        Assert.Equal(File.GetLastWriteTimeUtc(_folder["a"]), DateTime.UnixEpoch.AddTicks(before.ModifiedNanoseconds / 100));

        await Task.Delay(20);
        await File.WriteAllTextAsync(_folder["a"], "two");
        File.SetLastWriteTimeUtc(_folder["a"], DateTime.UnixEpoch.AddTicks(before.ModifiedNanoseconds / 100));
        Assert.NotEqual(before, a.Identity);
        Assert.Equal(before.Inode, a.Identity.Inode);
    }
}
