using System.CommandLine;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary><c>--on-conflict</c>: what a restore of a folder does with files that are there.</summary>
internal static class ConflictOption
{
    public const string Name = "--on-conflict";

    private static readonly Dictionary<string, ExistingFiles> s_rules = new(StringComparer.Ordinal)
    {
        ["overwrite"] = ExistingFiles.Overwrite,
        ["skip"] = ExistingFiles.Skip,
        ["fail"] = ExistingFiles.FailOnConflict,
        ["copy"] = ExistingFiles.CreateCopy,
    };

    public static Option<string?> Create() => new(Name)
    {
        Description = "Restore a folder into one that holds files, which are replaced (overwrite), stay (skip), stop the restore before it begins (fail), or get the restored file beside them (copy).",
        HelpName = string.Join('|', s_rules.Keys),
    };

    /// <exception cref="UsageException">There is no such rule, or <c>--overwrite</c> asks for another.</exception>
    public static ExistingFiles Read(string? sent, bool overwrite)
    {
        if (sent is null) return overwrite ? ExistingFiles.Overwrite : ExistingFiles.Refuse;
        if (!s_rules.TryGetValue(sent, out var rule)) throw new UsageException($"{Name} is one of {string.Join(", ", s_rules.Keys)}.");
        return !overwrite || rule == ExistingFiles.Overwrite ? rule : throw new UsageException($"{Name} {sent} and --overwrite ask for different things. Leave one out.");
    }
}
