using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Strongroom.Architecture.Tests;
using Strongroom.Cli;
using Strongroom.Server;

namespace Strongroom.Hosting.Tests;

public sealed class The_command_line : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Listens_for_signals_while_an_action_begins_synchronously()
    {
        // The library listens from the moment that the invocation has returned its task.
        using var hasReturned = new ManualResetEventSlim();
        var command = new Command("slow");
        command.SetCancellableAction((_, _) => Task.FromResult(hasReturned.Wait(TimeSpan.FromSeconds(60), CancellationToken.None) ? 0 : 1));

        var run = command.Parse([]).InvokeAsync(new InvocationConfiguration(), TestContext.Current.CancellationToken);
        hasReturned.Set();

        Assert.Equal(0, await run);
    }

    [Theory]
    [InlineData("--max-jobs")]
    [InlineData("--retry-after")]
    public void Says_in_plain_words_that_an_option_takes_a_number(string option)
    {
        var errors = ServeCommand.Create().Parse(["--data", folder["data"], option, "x"]).Errors;

        Assert.Equal($"{option} takes a whole number, not 'x'.", Assert.Single(errors).Message);
    }

    [Fact]
    public void Has_a_row_of_the_guide_for_each_option_of_the_server()
    {
        var guide = File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "operating.md"));
        string[] options = [.. ServeCommand.Create().Options.Select(option => option.Name)];

        Assert.Contains("--data", options);
        Assert.DoesNotContain(options, name => !guide.Contains($"\n| `{name}", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("strongroom: Unrecognized command or argument '--bogus'. See 'strongroom serve --help'.", "serve", "--data", "x", "--bogus")]
    [InlineData("strongroom: --max-jobs takes a whole number, not 'x'. See 'strongroom serve --help'.", "serve", "--data", "x", "--max-jobs", "x")]
    [InlineData("strongroom: Say what 'strongroom principal' shall do. See 'strongroom principal --help'.", "principal")]
    [InlineData("strongroom: 'strongroom principal' knows no 'ad'. See 'strongroom principal --help'.", "principal", "ad")]
    public async Task Ends_with_2_and_one_sentence_when_it_is_not_understood(string sentence, params string[] arguments)
    {
        var (exitCode, output) = await RunAsync(arguments);

        Assert.Equal((2, sentence), (exitCode, output.Trim()));
    }

    [Theory]
    [InlineData("", "https://localhost:8443", "--data takes a folder.")]
    [InlineData("data", "https://localhost:0", "--listen takes a port from 1 to 65535: clients must know it beforehand.")]
    [InlineData("data", "http://localhost:8443", "--listen takes an https address without a path, such as https://localhost:8443, not 'http://localhost:8443/'.")]
    public async Task Refuses_what_cannot_be_served_in_one_sentence(string data, string listen, string sentence)
    {
        var (exitCode, output) = await RunAsync("serve", "--data", data.Length == 0 ? "" : folder[data], "--listen", listen);

        Assert.Equal(1, exitCode);
        Assert.Equal("strongroom: " + sentence, output.Trim());
    }

    [Fact]
    public async Task Says_in_one_sentence_that_the_address_is_in_use()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var address = $"https://127.0.0.1:{((IPEndPoint)other.LocalEndpoint).Port}";

        var (exitCode, output) = await RunAsync("serve", "--data", folder["data"], "--listen", address);

        Assert.Equal(1, exitCode);
        Assert.Equal($"strongroom: Failed to bind to address {address}: address already in use.", output.Trim());
    }

    [Fact]
    public async Task Takes_a_folder_of_disks_relative_to_where_it_is_started()
    {
        var machines = Directory.CreateDirectory(folder["machines"]).FullName;
        var options = new ServerOptions
        {
            DataFolder = folder["data"],
            Listen = new Uri($"https://127.0.0.1:{FreePorts.Take()}"),
            AllowedPaths = [Path.GetRelativePath(Environment.CurrentDirectory, machines)],
            IsQuiet = true,
        };

        await using var server = await StrongroomServer.StartAsync(options, TestContext.Current.CancellationToken);

        Assert.True(File.Exists(Path.Combine(folder["data"], "admin.json")));
    }

    [Fact]
    public async Task Says_which_file_is_damaged_when_the_database_is()
    {
        var options = new ServerOptions { DataFolder = folder["data"], Listen = new Uri($"https://127.0.0.1:{FreePorts.Take()}"), IsQuiet = true };
        await (await StrongroomServer.StartAsync(options, TestContext.Current.CancellationToken)).DisposeAsync();
        var database = Path.Combine(folder["data"], "strongroom.db");
        await File.WriteAllTextAsync(database, new string('x', 5000), TestContext.Current.CancellationToken);

        var (exitCode, output) = await RunAsync("serve", "--data", folder["data"], "--listen", options.Listen.ToString());

        Assert.Equal(1, exitCode);
        Assert.Contains($"strongroom: The database '{database}' cannot be used: ", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled exception", output, StringComparison.Ordinal);
    }

    private static Task<(int ExitCode, string Output)> RunAsync(params string[] arguments) =>
        Programs.RunAsync("dotnet", [typeof(ServerOptions).Assembly.Location, .. arguments]);
}
