using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Strongroom.Backup.FileRecovery.Browsing;
using Strongroom.Blocks;
using Strongroom.Workloads.VirtualMachines.Files;

namespace Strongroom.Workloads.Tests.VirtualMachines.Files;

/// <summary>Processes that read file systems, with a program in their place that does something else.</summary>
public sealed class FileReadersTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("strongroom-readers-");

    public void Dispose() => _folder.Delete(true);

    [Fact(Timeout = 60_000)]
    public async Task A_process_that_never_answers_is_killed_in_time()
    {
        var (program, pid) = Program("exec sleep 1000");
        await using var readers = new FileReaders(new() { Executable = program, OpenLimit = TimeSpan.FromSeconds(1) }, NullLogger<FileReaders>.Instance);
        var failure = await Assert.ThrowsAsync<FileBrowsingException>(() => readers.OpenAsync("a", NoDisks, TestContext.Current.CancellationToken));
        Assert.Equal(FileBrowsingFault.ReaderFailed, failure.Fault);
        Assert.Contains("took too long", failure.Message, StringComparison.Ordinal);
        await GoneAsync(pid);
    }

    [Fact(Timeout = 60_000)]
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

    [Fact(Timeout = 60_000)]
    public async Task A_process_that_sends_without_end_is_ended_and_costs_no_memory()
    {
        var (program, pid) = Program("exec cat /dev/zero");
        await using var readers = new FileReaders(new() { Executable = program }, NullLogger<FileReaders>.Instance);
        var failure = await Assert.ThrowsAsync<FileBrowsingException>(() => readers.OpenAsync("a", NoDisks, TestContext.Current.CancellationToken));
        Assert.Equal(FileBrowsingFault.ReaderFailed, failure.Fault);
        await GoneAsync(pid);
    }

    [Fact(Timeout = 60_000)]
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
    public void What_the_dead_left_is_removed_and_what_is_served_or_young_stays()
    {
        var (left, served) = (Directory.CreateTempSubdirectory("strongroom-files-left"), Directory.CreateTempSubdirectory("strongroom-files-served"));
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)) dead.Bind(new UnixDomainSocketEndPoint(Path.Combine(left.FullName, "disk0.sock")));
        using var live = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        live.Bind(new UnixDomainSocketEndPoint(Path.Combine(served.FullName, "disk0.sock")));
        live.Listen();
        ReaderFolder.Sweep(TimeProvider.System);
        Assert.True(Directory.Exists(left.FullName));
        ReaderFolder.Sweep(new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddMinutes(11)));
        Assert.Equal((false, true), (Directory.Exists(left.FullName), Directory.Exists(served.FullName)));
        served.Delete(true);
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
