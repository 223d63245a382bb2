using System.CommandLine;
using System.CommandLine.Parsing;

namespace Strongroom.Cli.Store;

/// <summary>A command line that is not understood ends like every other failure of <c>strongroom store</c>: with a message and an exit code, as JSON where that was asked for.</summary>
internal static class UsageErrors
{
    /// <summary>The exit code, or null when the command line is understood or is of another command.</summary>
    public static int? Report(ParseResult parsed)
    {
        if (parsed.Errors.Count == 0 || !IsOfStore(parsed.CommandResult))
            return null;
        var names = new List<string>();
        for (SymbolResult? result = parsed.CommandResult; result is CommandResult command; result = result.Parent)
            names.Insert(0, command.Command is RootCommand ? "strongroom" : command.Command.Name);
        var message = $"{string.Join(" ", parsed.Errors.Select(error => error.Message))} See '{string.Join(' ', names)} --help'.";
        new VerbConsole(FormatOf(parsed), TimeProvider.System).Write(new VerbFailure("Usage", message, ExitCodes.Usage));
        return ExitCodes.Usage;
    }

    private static bool IsOfStore(SymbolResult? result) =>
        result is CommandResult command && (command.Command.Name == StoreCommand.Name || IsOfStore(command.Parent));

    /// <summary>By the words: where the line is wrong, the options need not have values.</summary>
    private static OutputFormat FormatOf(ParseResult parsed)
    {
        var words = parsed.Tokens.Select(token => token.Value).ToList();
        var option = words.IndexOf("--output");
        return option >= 0 && option + 1 < words.Count && words[option + 1].Equals("json", StringComparison.OrdinalIgnoreCase) ? OutputFormat.Json : OutputFormat.Text;
    }
}
