using System.CommandLine;
using System.Globalization;
using Strongroom.Cli.Files;
using Strongroom.Cli.Store;

namespace Strongroom.Cli;

/// <summary>The command line: <c>strongroom serve</c>, <c>strongroom store</c>, <c>strongroom files</c>, <c>strongroom principal</c> and <c>strongroom demo</c>.</summary>
internal static class CommandLine
{
    /// <summary>A backup seals at most two packs of data and one of nodes at once.</summary>
    private const int ThreadsThatMayWait = 3;

    public static async Task<int> RunAsync(string[] args)
    {
        AllowForWaiting();
        var root = new RootCommand("Strongroom: Azure Backup for the machines you own. Independent of Microsoft.")
        {
            ServeCommand.Create(),
            StoreCommand.Create(),
            FilesCommand.Create(),
            PrincipalCommand.Create(),
            DemoVerb.Create(),
        };
        var parsed = root.Parse(args);
        if (UsageErrors.Report(parsed) is { } exitCode)
            return exitCode;

        // A server with a running job needs longer than the library's two seconds to end cleanly.
        return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(45) });
    }

    /// <summary>
    /// Lets the pool have more threads than cores at once. fsync(2) and link(2) hold the thread that calls them, and the pool, which begins
    /// with a thread for each core, adds another only after half a second: until then a core would be idle while the disk works.
    /// </summary>
    private static void AllowForWaiting()
    {
        ThreadPool.GetMinThreads(out var workers, out var ports);
        ThreadPool.SetMinThreads(Math.Max(workers, Environment.ProcessorCount + ThreadsThatMayWait), ports);
    }

    /// <summary>
    /// What a command does. The library listens for Ctrl-C and SIGTERM only once the action has returned its task, and a
    /// server starts synchronously for most of a second: without a thread of its own a signal would kill it there.
    /// </summary>
    public static void SetCancellableAction(this Command command, Func<ParseResult, CancellationToken, Task<int>> action) =>
        command.SetAction((parsed, cancellationToken) => Task.Run(() => action(parsed, cancellationToken), CancellationToken.None));

    /// <summary>An option that takes a whole number.</summary>
    public static Option<int> NumberOption(string name, string description, int standard) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => standard,
        CustomParser = result =>
        {
            var text = result.Tokens is [var token] ? token.Value : "";
            if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
                result.AddError($"{name} takes a whole number, not '{text}'.");
            return number;
        },
    };
}
