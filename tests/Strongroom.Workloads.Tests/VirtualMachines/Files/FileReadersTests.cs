using Microsoft.Extensions.Logging.Abstractions;
using Strongroom.Backup.FileRecovery.Browsing;
using Strongroom.Blocks;
using Strongroom.Workloads.VirtualMachines.Files;

namespace Strongroom.Workloads.Tests.VirtualMachines.Files;

/// <summary>Processes that read file systems, with a program in their place that does something else.</summary>
public sealed class FileReadersTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("strongroom-readers-");

    public void Dispose() => _folder.Delete(true);

    [Fact(Timeout = 300_000)]
    public async Task A_process_that_never_answers_is_killed_in_time()
    {
        var (program, pid) = Program("exec sleep 1000");
        await using var readers = new FileReaders(new() { Executable = program, OpenLimit = TimeSpan.FromSeconds(1) }, NullLogger<FileReaders>.Instance);
        var failure = await Assert.ThrowsAsync<FileBrowsingException>(() => readers.OpenAsync("a", NoDisks, TestContext.Current.CancellationToken));
        Assert.Equal(FileBrowsingFault.ReaderFailed, failure.Fault);
        Assert.Contains("took too long", failure.Message, StringComparison.Ordinal);
        await GoneAsync(pid);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_process_that_ends_is_an_error_of_that_request_and_the_next_has_another()
    {
        var (program, _) = Program("exit 3");
        await using var readers = new FileReaders(new() { Executable = program }, NullLogger<FileReaders>.Instance);
        for (var i = 0; i < 3; i++)
        {
            var failure = await Assert.ThrowsAsync<FileBrowsingException>(() => readers.OpenAsync("a", NoDisks, TestContext.Current.CancellationToken));
            Assert.Equal(FileBrowsingFault.ReaderFailed, failure.Fault);
        }
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_an_error_that_says_so()
    {
        await using var readers = new FileReaders(new() { Executable = "/absent" }, NullLogger<FileReaders>.Instance);
        var failure = await Assert.ThrowsAsync<FileBrowsingException>(() => readers.OpenAsync("a", NoDisks, TestContext.Current.CancellationToken));
        Assert.Contains("could not be started", failure.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_process_that_sends_without_end_is_ended_and_costs_no_memory()
    {
        var (program, pid) = Program("exec cat /dev/zero");
        await using var readers = new FileReaders(new() { Executable = program }, NullLogger<FileReaders>.Instance);
        var failure = await Assert.ThrowsAsync<FileBrowsingException>(() => readers.OpenAsync("a", NoDisks, TestContext.Current.CancellationToken));
        Assert.Equal(FileBrowsingFault.ReaderFailed, failure.Fault);
        await GoneAsync(pid);
    }

    [Fact(Timeout = 300_000)]
    public async Task Only_so_many_are_open_at_a_time_and_those_that_nobody_uses_make_room()
    {
        // An answer without volumes: length 5, no fault, count 0.
        var (program, _) = Program("printf '\\005\\000\\000\\000\\000\\000\\000\\000\\000'; exec sleep 1000");
        await using var readers = new FileReaders(new() { Executable = program, MaxOpen = 2, BusyTime = TimeSpan.FromSeconds(1) }, NullLogger<FileReaders>.Instance);
        var first = await readers.OpenAsync("a", NoDisks, TestContext.Current.CancellationToken);
        var again = await readers.OpenAsync("a", static _ => throw new InvalidOperationException("It is open."), TestContext.Current.CancellationToken);
        await using var second = await readers.OpenAsync("b", NoDisks, TestContext.Current.CancellationToken);
        var failure = await Assert.ThrowsAsync<FileBrowsingException>(() => readers.OpenAsync("c", NoDisks, TestContext.Current.CancellationToken));
        Assert.Equal(FileBrowsingFault.Busy, failure.Fault);
        await first.DisposeAsync();
        await Assert.ThrowsAsync<FileBrowsingException>(() => readers.OpenAsync("c", NoDisks, TestContext.Current.CancellationToken));
        await again.DisposeAsync();
        await using var third = await readers.OpenAsync("c", NoDisks, TestContext.Current.CancellationToken);
        Assert.Empty((await third.ListAsync(FilePath.Root, 0, 10, TestContext.Current.CancellationToken)).Entries);
    }

    [Fact]
    public async Task What_the_dead_left_is_removed_and_nothing_beside_it()
    {
        var options = new FileReaderOptions { Folder = Path.Combine(_folder.FullName, "readers"), MachineFolder = Path.Combine(_folder.FullName, "machine") };
        var home = await ReaderHome.OpenAsync(options);
        var (left, beside) = (Directory.CreateDirectory(Path.Combine(home.Path, "left", "own")), Directory.CreateDirectory(Path.Combine(_folder.FullName, "strongroom-files-beside")));
        var kept = Path.Combine(beside.FullName, "kept");
        await File.WriteAllTextAsync(kept, "", TestContext.Current.CancellationToken);
        File.CreateSymbolicLink(Path.Combine(left.FullName, "out"), beside.FullName);
        await using var again = await ReaderHome.OpenAsync(options);
        Assert.Equal((home.Path, true), (again.Path, File.Exists(kept)));
        Assert.Empty(Directory.EnumerateFileSystemEntries(again.Path));
    }

    [Fact]
    public async Task A_folder_whose_sockets_would_have_too_long_a_path_is_another()
    {
        Assert.SkipWhen(ReaderPaths.IsRoot, "Root takes the machine's folder.");
        await using var home = await ReaderHome.OpenAsync(new() { Folder = Path.Combine(_folder.FullName, new string('x', 60)) });
        Assert.StartsWith(Path.GetTempPath(), home.Path, StringComparison.Ordinal);
        Assert.True(home.Path.Length < 60);
    }

    [Fact]
    public void A_link_in_the_place_of_the_folder_is_refused()
    {
        var elsewhere = Directory.CreateDirectory(Path.Combine(_folder.FullName, "elsewhere"));
        var link = Path.Combine(_folder.FullName, "link");
        File.CreateSymbolicLink(link, elsewhere.FullName);
        Assert.Throws<IOException>(() => ReaderPaths.MakeFolder(link));
    }

    [Fact]
    public async Task Each_reader_has_a_user_of_its_own_and_its_sockets_are_in_the_servers_hands()
    {
        Assert.SkipUnless(ReaderPaths.IsRoot, "Only root can be others.");
        var home = await ReaderHome.OpenAsync(new() { MachineFolder = Path.Combine(_folder.FullName, "machine") });
        var users = new HashSet<uint>();
        var folders = new List<ReaderFolder>();
        for (var i = ReaderUser.First; i <= ReaderUser.Last; i++)
        {
            folders.Add(ReaderFolder.Make(home));
            Assert.True(users.Add(folders[^1].User!.Value));
        }

        Assert.Equal(FileBrowsingFault.Busy, Assert.Throws<FileBrowsingException>(() => ReaderFolder.Make(home)).Fault);
        Assert.DoesNotContain(folders[0].Own + "/", folders[0].Socket(0), StringComparison.Ordinal);
        await folders[3].DisposeAsync();
        Assert.False(Directory.Exists(folders[3].Own));
        var next = ReaderFolder.Make(home);
        Assert.Equal(folders[3].User, next.User);
        foreach (var folder in folders) await folder.DisposeAsync();
        await next.DisposeAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task A_reader_that_cannot_be_started_lets_go_of_its_disks_and_its_folder()
    {
        var options = new FileReaderOptions { Executable = Path.Combine(_folder.FullName, "absent"), Folder = Path.Combine(_folder.FullName, "readers"), MachineFolder = Path.Combine(_folder.FullName, "machine") };
        await using var home = await ReaderHome.OpenAsync(options);
        var disk = new HeldDisk();
        var failure = await Assert.ThrowsAsync<FileBrowsingException>(() => ReaderProcess.StartAsync(home, null, options, [new ReadOnlyDevice(disk)], NullLogger.Instance, TestContext.Current.CancellationToken));
        Assert.Equal(FileBrowsingFault.ReaderFailed, failure.Fault);
        Assert.True(disk.IsDisposed);
        Assert.Empty(Directory.EnumerateFileSystemEntries(home.Path));
    }

    [Fact(Timeout = 300_000)]
    public async Task What_a_reader_removed_itself_keeps_nothing_open()
    {
        var (program, _) = Program("rm -rf \"$(dirname \"$2\")\"; exit 0");
        var options = new FileReaderOptions { Executable = program, Folder = Path.Combine(_folder.FullName, "readers"), MachineFolder = Path.Combine(_folder.FullName, "machine") };
        await using var home = await ReaderHome.OpenAsync(options);
        var disk = new HeldDisk();
        await Assert.ThrowsAsync<FileBrowsingException>(() => ReaderProcess.StartAsync(home, null, options, [new ReadOnlyDevice(disk)], NullLogger.Instance, TestContext.Current.CancellationToken));
        Assert.True(disk.IsDisposed);
    }

    [Fact(Timeout = 300_000)]
    public async Task What_a_process_makes_of_a_disk_that_cannot_be_read_is_not_told_and_the_next_caller_has_another()
    {
        // It reads the disk when it is asked, and has found no volumes then.
        var (program, pid) = Program(
            "head -c 1 > /dev/null; qemu-io -r -f raw -c 'read 0 512' \"nbd+unix:///?socket=$(dirname \"$2\")/disk0.sock\" >&2; printf '\\005\\000\\000\\000\\000\\000\\000\\000\\000'; exec sleep 1000");
        await using var readers = new FileReaders(new() { Executable = program, Folder = Path.Combine(_folder.FullName, "readers") }, NullLogger<FileReaders>.Instance);
        for (var i = 0; i < 2; i++)
        {
            var disk = new HeldDisk();
            var failure = await Assert.ThrowsAsync<FileBrowsingException>(() => readers.OpenAsync("a", _ => Task.FromResult<IReadOnlyList<IBlockDevice>>([new ReadOnlyDevice(disk)]), TestContext.Current.CancellationToken));
            Assert.Equal(FileBrowsingFault.Damaged, failure.Fault);
            Assert.Contains("cannot be read from its vault: A pack is missing.", failure.Message, StringComparison.Ordinal);
            Assert.True(disk.IsDisposed);
            await GoneAsync(pid);
        }
    }

    /// <summary>A disk that nobody comes to read, or that cannot be.</summary>
    private sealed class HeldDisk : IBlockSource
    {
        public bool IsDisposed { get; private set; }

        public long LengthBytes => 512;

        public IAsyncEnumerable<BlockExtent> MapAsync(CancellationToken cancellationToken) => throw new IOException("A pack is missing.");

        public ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) => throw new IOException("A pack is missing.");

        public ValueTask DisposeAsync()
        {
            IsDisposed = true;
            return ValueTask.CompletedTask;
        }
    }

    private static Task<IReadOnlyList<IBlockDevice>> NoDisks(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<IBlockDevice>>([]);

    /// <summary>A program in the reader's place, and the file that its process id goes to.</summary>
    private (string Program, string PidFile) Program(string body)
    {
        var (program, pid) = (Path.Combine(_folder.FullName, "reader.sh"), Path.Combine(_folder.FullName, "pid"));
        File.WriteAllText(program, $"#!/bin/sh\necho $$ > {pid}\n{body}\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return (program, pid);
    }

    private static async Task GoneAsync(string pidFile)
    {
        var folder = $"/proc/{(await File.ReadAllTextAsync(pidFile, TestContext.Current.CancellationToken)).Trim()}";
        while (Directory.Exists(folder)) await Task.Delay(20, TestContext.Current.CancellationToken);
    }
}
