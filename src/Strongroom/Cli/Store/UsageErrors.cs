using System.CommandLine;
using System.CommandLine.Parsing;

namespace Strongroom.Cli.Store;

/// <summary>A command line that is not understood ends like every other failure: with a message and an exit code, as JSON where that was asked for.</summary>
internal static class UsageErrors
{
    /// <summary>The exit code, or null when the command line is understood.</summary>
    public static int? Report(ParseResult parsed)
    {
        if (parsed.Errors.Count == 0)
            return null;
        var names = new List<string>();
        for (SymbolResult? result = parsed.CommandResult; result is CommandResult command; result = result.Parent)
            names.Insert(0, command.Command is RootCommand ? "strongroom" : command.Command.Name);
        var message = $"{What(parsed, string.Join(' ', names))} See '{string.Join(' ', names)} --help'.";
        new VerbConsole(FormatOf(parsed), TimeProvider.System).Write(new VerbFailure("Usage", message, ExitCodes.Usage));
        return ExitCodes.Usage;
    }

    private static string What(ParseResult parsed, string command)
    {
        if (parsed.CommandResult.Command.Subcommands.Count == 0)
            return string.Join(" ", parsed.Errors.Select(Plain));
        return parsed.UnmatchedTokens is [var first, ..] ? $"'{command}' knows no '{Shown.Text(first)}'." : $"Say what '{command}' shall do.";
    }

    /// <summary>The library names a type of .NET where a value does not fit; people are told the values.</summary>
    private static string Plain(ParseError error)
    {
        if (error.SymbolResult is not OptionResult { Tokens: [var token], Option: var option })
            return error.Message;
        var type = Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType;
        return error.Message.Contains(type.FullName!, StringComparison.Ordinal) && ValuesOf(type) is { } values
            ? $"{option.Name} takes {values}, not '{Shown.Text(token.Value)}'."
            : error.Message;
    }

    private static string? ValuesOf(Type type)
    {
        if (type.IsEnum)
            return string.Join(" or ", [string.Join(", ", Enum.GetNames(type)[..^1]), Enum.GetNames(type)[^1]]);
        if (type == typeof(int) || type == typeof(long))
            return "a whole number";
        return type == typeof(bool) ? "true or false" : null;
    }

    /// <summary>By the words: where the line is wrong, the options need not have values.</summary>
    private static OutputFormat FormatOf(ParseResult parsed)
    {
        var words = parsed.Tokens.Select(token => token.Value).ToList();
        var option = words.IndexOf("--output");
        return option >= 0 && option + 1 < words.Count && words[option + 1].Equals("json", StringComparison.OrdinalIgnoreCase) ? OutputFormat.Json : OutputFormat.Text;
    }
}
