using Spectre.Console;

namespace Strongroom.Demo.Tests;

public sealed class DemoCommandTests : IDisposable
{
    private static readonly DemoOptions Small = new() { SizeMiB = 64 };

    private readonly TempFolder folder = new();
    private readonly StringWriter output = new();
    private FakeStrongroom? server;
    private string? dataFolder;

    private string Output => output.ToString();

    [Fact]
    public async Task The_whole_story_ends_with_a_table_and_the_proof_and_leaves_nothing_behind()
    {
        var code = await RunAsync(Small, new FakeFaults());

        Assert.True(code == DemoCommand.Proven, Output);
        Assert.Contains("Proven: all 6 restored disks of 2 machines", Output, StringComparison.Ordinal);
        Assert.Contains($"ok {Story.StepCount + 1}/{Story.StepCount + 1} Download and compare SHA-256", Output, StringComparison.Ordinal);
        Assert.Contains("web1 50 %", Output, StringComparison.Ordinal);
        foreach (var step in (string[])["web1, first backup", "db1, second backup", "db1, second restore", "Download and compare"])
            Assert.Contains(step, Output, StringComparison.Ordinal);
        Assert.True(server!.IsDisposed);
        Assert.False(Directory.Exists(Path.GetDirectoryName(dataFolder)));
        Assert.DoesNotContain('\u001b', Output);
    }

    [Fact]
    public async Task A_restored_disk_that_differs_in_one_bit_is_found_and_named()
    {
        var code = await RunAsync(Small, new FakeFaults { CorruptDisk = SampleMachines.DataDiskName });

        Assert.Equal(DemoCommand.Failed, code);
        Assert.Contains("db1/01-data.raw, first point: SHA-256 is", Output, StringComparison.Ordinal);
        Assert.Contains("Not proven: 2 of 6", Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Proven:", Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_job_ends_the_demo_with_its_code_and_message()
    {
        var code = await RunAsync(Small, new FakeFaults { FailBackup = 3 });

        Assert.Equal(DemoCommand.Failed, code);
        Assert.Contains("400136: The disk changed while it was read.", Output, StringComparison.Ordinal);
        Assert.Contains("\"Back up what changed\"", Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.GetDirectoryName(dataFolder)));
    }

    [Fact]
    public async Task A_refusal_of_the_server_is_shown_as_code_and_message()
    {
        var code = await RunAsync(Small, new FakeFaults { RefuseVault = true });

        Assert.Equal(DemoCommand.Failed, code);
        Assert.Contains("VaultRefused: Refused by the fake. (HTTP 409 to PUT /subscriptions/", Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelling_stops_the_server_and_removes_the_temporary_folder()
    {
        using var stop = new CancellationTokenSource();

        var code = await RunAsync(Small, new FakeFaults { OnBackup = stop.Cancel }, stop.Token);

        Assert.Equal(DemoCommand.Interrupted, code);
        Assert.Contains("Stopped at step 13, \"Back up\".", Output, StringComparison.Ordinal);
        Assert.True(server!.IsDisposed);
        Assert.False(Directory.Exists(Path.GetDirectoryName(dataFolder)));
    }

    [Fact]
    public async Task A_server_that_does_not_start_is_a_plain_reason()
    {
        var code = await DemoCommand.RunAsync(
            Small, (_, _) => throw new IOException("The port is taken."), Console(), TimeProvider.System, CancellationToken.None);

        Assert.Equal(DemoCommand.Failed, code);
        Assert.Contains("The demo failed at step 1, \"Start a server\": The port is taken.", Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_fails_because_the_demo_was_interrupted_is_an_interruption()
    {
        using var stop = new CancellationTokenSource();

        // As when Ctrl-C reaches mke2fs too.
        var code = await DemoCommand.RunAsync(
            Small,
            async (_, _) =>
            {
                await stop.CancelAsync();
                throw new DemoException("mke2fs ended with 130");
            },
            Console(), TimeProvider.System, stop.Token);

        Assert.Equal(DemoCommand.Interrupted, code);
        Assert.Contains("Stopped at step 1, \"Start a server\".", Output, StringComparison.Ordinal);
        Assert.DoesNotContain("failed", Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_users_folder_is_kept_and_a_second_demo_in_it_finds_room_beside_the_first()
    {
        var options = Small with { DataFolder = folder.File("kept") };

        Assert.True(await RunAsync(options, new FakeFaults()) == DemoCommand.Proven, Output);
        Assert.True(File.Exists(Path.Combine(folder.File("kept"), "machines", "demo", "web1", SampleMachines.SystemDiskName)));
        Directory.Delete(Path.Combine(folder.File("kept"), "server"), recursive: true);
        Assert.True(await RunAsync(options, new FakeFaults()) == DemoCommand.Proven, Output);
        Assert.True(Directory.Exists(Path.Combine(folder.File("kept"), "machines", "demo2")));
        Assert.Contains("strongroom serve --data", Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(63)]
    [InlineData(DemoOptions.SizeMiBMax + 1)]
    public async Task A_size_that_cannot_work_is_refused_before_anything_starts(int sizeMiB)
    {
        Assert.Equal(DemoCommand.Failed, await RunAsync(new DemoOptions { SizeMiB = sizeMiB }, new FakeFaults()));
        Assert.Null(server);
    }

    [Fact]
    public async Task A_disk_that_is_not_there_is_refused_before_anything_starts()
    {
        Assert.Equal(DemoCommand.Failed, await RunAsync(Small with { DiskFile = folder.File("none.raw") }, new FakeFaults()));
        Assert.Contains("The demo failed before the first step: There is no disk file", Output, StringComparison.Ordinal);
        Assert.Null(server);
    }

    [Fact]
    public async Task A_folder_in_place_of_a_disk_is_refused_as_one()
    {
        Assert.Equal(DemoCommand.Failed, await RunAsync(Small with { DiskFile = folder.Folder("disk") }, new FakeFaults()));
        Assert.Contains("is a folder; --disk takes a disk file.", Output, StringComparison.Ordinal);
        Assert.Null(server);
    }

    public void Dispose()
    {
        folder.Dispose();
        output.Dispose();
    }

    private Task<int> RunAsync(DemoOptions options, FakeFaults faults, CancellationToken cancellationToken = default) =>
        DemoCommand.RunAsync(
            options,
            async (started, _) =>
            {
                dataFolder = started.DataFolder;
                return server = await FakeStrongroom.StartAsync(started, faults);
            },
            Console(),
            TimeProvider.System,
            cancellationToken);

    private IAnsiConsole Console() => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Ansi = AnsiSupport.No,
        ColorSystem = ColorSystemSupport.NoColors,
        Interactive = InteractionSupport.No,
        Out = new AnsiConsoleOutput(output),
    });
}
