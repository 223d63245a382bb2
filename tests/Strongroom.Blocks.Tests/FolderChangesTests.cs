using System.Diagnostics;

namespace Strongroom.Blocks.Tests;

public sealed class FolderChangesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Two_folders_change_places()
    {
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(_folder["a"]).FullName, "x"), "of a");
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(_folder["b"]).FullName, "x"), "of b");
        FolderChanges.Exchange(_folder["a"], _folder["b"]);
        Assert.Equal(("of b", "of a"), (File.ReadAllText(_folder["a/x"]), File.ReadAllText(_folder["b/x"])));
        Assert.Throws<IOException>(() => FolderChanges.Exchange(_folder["a"], _folder["none"]));
    }

    [Fact]
    public void A_name_that_is_taken_is_not_taken_again()
    {
        Directory.CreateDirectory(_folder["a"]);
        // rename(2) alone would replace an empty folder.
        Directory.CreateDirectory(_folder["b"]);
        Assert.Throws<IOException>(() => FolderChanges.MoveNew(_folder["a"], _folder["b"]));
        FolderChanges.MoveNew(_folder["a"], _folder["c"]);
        Assert.Equal(["b", "c"], Directory.GetDirectories(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_disk_is_locked_once_and_free_again()
    {
        File.WriteAllText(_folder["disk.raw"], "disk");
        using (DiskLock.Take(_folder["disk.raw"]))
            Assert.Throws<DiskInUseException>(() => DiskLock.Take(_folder["disk.raw"]));
        DiskLock.Take(_folder["disk.raw"]).Dispose();
        Assert.Throws<IOException>(() => DiskLock.Take(_folder["none.raw"]));
    }

    [Fact]
    public async Task Who_has_a_disk_open_for_a_moment_does_not_keep_it()
    {
        var disk = _folder["disk.raw"];
        await File.WriteAllTextAsync(disk, "disk", TestContext.Current.CancellationToken);
        using var user = Process.Start(new ProcessStartInfo("sh", ["-c", "exec 3<\"$1\"; echo open; sleep 0.15", "sh", disk]) { RedirectStandardOutput = true })!;
        Assert.Equal("open", await user.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        DiskLock.Take(disk).Dispose();
        await user.WaitForExitAsync(TestContext.Current.CancellationToken);
    }
}
