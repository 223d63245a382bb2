using System.CommandLine;
using Strongroom.Bench.Disks;

namespace Strongroom.Bench.Cli;

/// <summary>Options that several verbs share.</summary>
internal static class Options
{
    public static Option<string> Source => new("--source") { Description = "Folder whose files are the text", DefaultValueFactory = _ => "/usr" };

    public static Option<string> Folder => new("--folder") { Description = "Where to work, in a new folder that is removed", DefaultValueFactory = _ => Path.GetTempPath() };

    public static Option<bool> Keep => new("--keep") { Description = "Leave what was made" };

    public static Option<string> Required(string name, string description) => new(name) { Description = description, Required = true };

    public static Option<string?> Optional(string name, string description) => new(name) { Description = description };

    public static Option<T> Standard<T>(string name, string description, T standard) => new(name) { Description = description, DefaultValueFactory = _ => standard };

    /// <summary>Bytes, as <see cref="ByteSize"/> reads them.</summary>
    public static Option<long> Size(string name, string description, long standardBytes) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => standardBytes,
        CustomParser = result =>
        {
            if (!ByteSize.TryParse(result.Tokens[0].Value, out var bytes))
                result.AddError($"{name} takes a size such as 64K or 2G.");
            return bytes;
        },
    };

    /// <summary>A command with its options and arguments, and what it does.</summary>
    public static Command Verb(string name, string description, IEnumerable<Symbol> symbols, Func<ParseResult, CancellationToken, Task<int>> action)
    {
        var command = new Command(name, description);
        foreach (var symbol in symbols)
        {
            if (symbol is Option option)
                command.Add(option);
            else
                command.Add((Argument)symbol);
        }

        command.SetAction(action);
        return command;
    }
}
