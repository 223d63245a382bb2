using Microsoft.Data.Sqlite;

namespace Strongroom.Hosting.Tests;

public sealed class Data_folder : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private readonly TemporaryFolder temporary = new();

    public void Dispose() => temporary.Dispose();

    [Fact]
    public void The_first_start_makes_the_folder_for_its_owner_alone()
    {
        using var data = DataFolder.Open(temporary["a/b"]);

        foreach (var folder in (string[])[data.Root, data.TlsFolder, data.IdentityFolder, data.VaultsFolder, data.StorageFolder])
            Assert.Equal(OwnerOnly | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(Path.Combine(data.Root, "strongroom.lock")));
    }

    [Fact]
    public void A_server_has_an_id_of_its_own_that_it_keeps()
    {
        var id = IdOf(temporary["one"]);
        Assert.NotEqual(id, IdOf(temporary["two"]));
        Assert.Equal(id, IdOf(temporary["one"]));
        File.WriteAllText(temporary["one/server-id"], "damaged");
        var another = IdOf(temporary["one"]);
        Assert.NotEqual(id, another);
        Assert.Equal(another, IdOf(temporary["one"]));

        static Guid IdOf(string root)
        {
            using var data = DataFolder.Open(root);
            return data.ServerId;
        }
    }

    [Fact]
    public async Task The_database_is_private_also_in_a_folder_that_is_not()
    {
        var root = temporary["public"];
        Directory.CreateDirectory(root, OwnerOnly | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        using var data = DataFolder.Open(root);
        await using var database = new SqliteConnection($"Data Source={data.DatabaseFile};Pooling=False");
        await database.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = database.CreateCommand();
        command.CommandText = "PRAGMA journal_mode=WAL; CREATE TABLE t (c); INSERT INTO t VALUES (1);";
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        foreach (var suffix in (string[])["", "-wal", "-shm"])
            Assert.Equal(OwnerOnly, File.GetUnixFileMode(data.DatabaseFile + suffix));
    }

    [Theory]
    [InlineData("strongroom.db", false)]
    [InlineData("strongroom.db", true)]
    [InlineData("master.key", false)]
    [InlineData("master.key", true)]
    public void A_folder_with_stores_is_refused_without_the_files_that_they_need(string lost, bool isEmptied)
    {
        DataFolder.Open(temporary.Root).Dispose();
        Directory.CreateDirectory(temporary["vaults/0cabceea17224f5bb5bf530205cfa26a"]);
        File.WriteAllText(temporary["strongroom.db"], "x");
        File.WriteAllText(temporary["master.key"], "x");
        DataFolder.Open(temporary.Root).Dispose();

        if (isEmptied) File.WriteAllText(temporary[lost], "");
        else File.Delete(temporary[lost]);

        var error = Assert.Throws<DataFolderException>(() => DataFolder.Open(temporary.Root));
        Assert.Contains(lost, error.Message, StringComparison.Ordinal);
        Assert.Contains("Restore the file", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_start_is_refused_while_the_first_runs_and_told_whose_folder_it_is()
    {
        using (DataFolder.Open(temporary.Root))
        {
            var error = Assert.Throws<DataFolderException>(() => DataFolder.Open(temporary.Root));
            Assert.Contains($"in use by another server (process {Environment.ProcessId})", error.Message, StringComparison.Ordinal);

            // The refused one has not taken anything with it.
            Assert.Throws<DataFolderException>(() => DataFolder.Open(temporary.Root + "/."));
        }

        DataFolder.Open(temporary.Root).Dispose();
        Assert.False(File.Exists(temporary["strongroom.pid"]));
    }

    [Fact]
    public async Task The_folder_is_free_again_once_its_owner_was_killed()
    {
        DataFolder.Open(temporary.Root).Dispose();

        // flock(1) takes the same lock of the same kernel, and -o keeps it from its child, which tells when it has it.
        using var owner = Programs.Start("flock", "-o", temporary["strongroom.lock"], "sh", "-c", "echo locked; exec sleep 600");
        Assert.Equal("locked", await owner.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        await File.WriteAllTextAsync(temporary["strongroom.pid"], $"{owner.Id}\n", TestContext.Current.CancellationToken);
        var error = Assert.Throws<DataFolderException>(() => DataFolder.Open(temporary.Root));
        Assert.Contains($"process {owner.Id}", error.Message, StringComparison.Ordinal);

        owner.Kill(entireProcessTree: true);
        await owner.WaitForExitAsync(TestContext.Current.CancellationToken);
        DataFolder.Open(temporary.Root).Dispose();
    }

    [Fact]
    public void Sub_folders_that_others_can_read_are_closed()
    {
        Directory.CreateDirectory(temporary["tls"], OwnerOnly | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        using var data = DataFolder.Open(temporary.Root);
        Assert.Equal(OwnerOnly | UnixFileMode.UserExecute, File.GetUnixFileMode(data.TlsFolder));
    }

    [Theory]
    [InlineData("2\n")]
    [InlineData("")]
    [InlineData("one")]
    public void A_folder_of_another_format_is_left_alone(string format)
    {
        File.WriteAllText(temporary["format"], format);
        var error = Assert.Throws<DataFolderException>(() => DataFolder.Open(temporary.Root));

        Assert.Contains("format", error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(temporary["vaults"]));

        // And it is not held on to.
        File.WriteAllText(temporary["format"], "1\n");
        DataFolder.Open(temporary.Root).Dispose();
    }

    [Fact]
    public void A_path_that_cannot_be_a_folder_is_refused_with_a_reason()
    {
        File.WriteAllText(temporary["file"], "");
        Assert.Throws<DataFolderException>(() => DataFolder.Open(temporary["file"]));
        Assert.Throws<DataFolderException>(() => DataFolder.Open(temporary["file/below"]));
    }

    [Fact]
    public void An_atomic_write_replaces_content_and_mode_and_leaves_nothing_behind()
    {
        var path = temporary["secret"];
        File.WriteAllText(path, "old and longer");
        File.SetUnixFileMode(path, OwnerOnly | UnixFileMode.OtherRead);
        File.WriteAllText(path + ".new", "what a crash left");
        File.SetUnixFileMode(path + ".new", OwnerOnly | UnixFileMode.OtherRead);

        AtomicFile.Write(path, "new"u8, AtomicFile.Private);

        Assert.Equal("new", File.ReadAllText(path));
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(path));
        Assert.Equal([path], Directory.EnumerateFiles(temporary.Root));
    }

    [Fact]
    public void A_write_that_fails_leaves_the_old_content()
    {
        var path = temporary["secret"];
        File.WriteAllText(path, "old");
        Directory.CreateDirectory(path + ".new/in the way");

        Assert.ThrowsAny<Exception>(() => AtomicFile.Write(path, "new"u8, AtomicFile.Private));
        Assert.Equal("old", File.ReadAllText(path));
    }
}
