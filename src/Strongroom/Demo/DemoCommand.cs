using Spectre.Console;
using Strongroom.Client;

namespace Strongroom.Demo;

/// <summary><c>strongroom demo</c>: starts a server, plays the whole story against it over HTTPS and says what was proven.</summary>
internal static class DemoCommand
{
    public const int Proven = 0;
    public const int Failed = 1;

    /// <summary>As a shell reports a process that Ctrl-C ended: 128 and SIGINT.</summary>
    public const int Interrupted = 130;

    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    /// <summary>Runs the demo to its end and cleans up, also when it is cancelled.</summary>
    /// <returns><see cref="Proven"/>, <see cref="Failed"/> with a plain reason on the console, or <see cref="Interrupted"/>.</returns>
    public static async Task<int> RunAsync(
        DemoOptions options,
        Func<DemoServerOptions, CancellationToken, Task<IDemoServer>> startServer,
        IAnsiConsole console,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        Prepare(console, options);
        var story = new StoryConsole(console, time, Story.StepCount + 1);
        DemoFolder? folder = null;
        try
        {
            options.Validate();
            folder = DemoFolder.Open(options);
            return await PlayAsync(options, folder, startServer, console, story, time, cancellationToken);
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            // Of any type: Ctrl-C also ends the programs that the demo runs, and they fail before we are cancelled.
            console.MarkupLineInterpolated($"[yellow]Stopped {story.CurrentStep}.[/]");
            return Interrupted;
        }
        catch (Exception e)
        {
            console.MarkupLineInterpolated($"[red]The demo failed {story.CurrentStep}: {Reason(e)}[/]");
            if (folder is { IsKept: false })
                console.WriteLine("Run it again with --keep to look at the server's data afterwards.");
            return Failed;
        }
        finally
        {
            if (folder is not null)
                Close(folder, console);
        }
    }

    private static async Task<int> PlayAsync(
        DemoOptions options,
        DemoFolder folder,
        Func<DemoServerOptions, CancellationToken, Task<IDemoServer>> startServer,
        IAnsiConsole console,
        StoryConsole story,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        var server = await story.StepAsync("Start a server", async _ =>
        {
            var started = await TimeLimits.WithinAsync(DemoTimeLimits.ServerStart, "the server did not start", time,
                limited => startServer(folder.ServerOptions, limited), cancellationToken);
            return (started, started.Endpoint.ToString());
        });
        StoryOutcome outcome;
        try
        {
            using var http = TrustedConnection.Create(server.CaFile);
            var tokens = new AccessTokens(http, server, time);
            var arm = new ArmClient(http, server.Endpoint, tokens.GetAsync, time);
            outcome = await new Story(options, server, arm, story, time).RunAsync(cancellationToken);
        }
        finally
        {
            await server.DisposeAsync().AsTask().WaitAsync(StopLimit, time, CancellationToken.None);
        }

        StoryReport.Write(console, outcome);
        return outcome.Differences.Count == 0 ? Proven : Failed;
    }

    private static void Prepare(IAnsiConsole console, DemoOptions options)
    {
        var profile = console.Profile;
        if (options.Plain)
        {
            profile.Capabilities.Ansi = false;
            profile.Capabilities.Interactive = false;
            profile.Capabilities.ColorSystem = ColorSystem.NoColors;
        }

        // A file has no width; lines broken for a terminal are hard to search.
        if (!profile.Capabilities.Interactive)
            profile.Width = Math.Max(profile.Width, 1000);
    }

    private static void Close(DemoFolder folder, IAnsiConsole console)
    {
        if (folder.IsKept)
        {
            console.MarkupLineInterpolated($"Kept in {folder.Path}. To go on with it: strongroom serve --data {folder.ServerOptions.DataFolder} --allow-path {folder.ServerOptions.MachinesFolder}");
            return;
        }

        try
        {
            folder.Remove();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            console.MarkupLineInterpolated($"[yellow]The temporary folder {folder.Path} could not be removed: {e.Message}[/]");
        }
    }

    /// <summary>The plain reason: the service's code and words where it gave them, the innermost message otherwise.</summary>
    private static string Reason(Exception failure) => failure switch
    {
        ArmRequestException refused => refused.Describe(),
        DemoException or ClientException => failure.Message,
        HttpRequestException { InnerException: { } inner } => inner.Message,
        IOException or UnauthorizedAccessException or HttpRequestException or TimeoutException => failure.Message,
        // Anything else is a fault of ours; the whole of it helps whoever reads the report.
        _ => failure.ToString(),
    };
}
