using System.CommandLine;

namespace Strongroom.Cli;

/// <summary>The command line: <c>strongroom serve</c> and <c>strongroom demo</c>.</summary>
internal static class CommandLine
{
    public static Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand("Strongroom: Azure Backup for the machines you own. Independent of Microsoft.")
        {
            ServeCommand.Create(),
            DemoVerb.Create(),
        };
        // A server with a running job needs longer than the library's two seconds to end cleanly.
        return root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(45) });
    }
}
