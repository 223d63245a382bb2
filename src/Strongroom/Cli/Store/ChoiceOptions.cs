using System.CommandLine;

namespace Strongroom.Cli.Store;

/// <summary>The options that choose what is read from a vault.</summary>
internal static class ChoiceOptions
{
    public static Option<string> Snapshot() => new("--snapshot") { Description = $"A snapshot's id, the beginning of it, or '{SnapshotChoice.Latest}'.", Required = true };

    public static Option<string?> Item() => new("--item") { Description = $"With '{SnapshotChoice.Latest}': the newest of this item." };

    public static Option<string?> Disk() => new("--disk") { Description = "The disk's name or logical unit number, where the snapshot holds several." };

    public static Option<string?> Path() => new("--path") { Description = "In a snapshot of a folder: the path of a file or folder in it." };
}
