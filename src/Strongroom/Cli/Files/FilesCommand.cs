using System.CommandLine;

namespace Strongroom.Cli.Files;

/// <summary><c>strongroom files</c>: files of a recovery point, from a running server.</summary>
internal static class FilesCommand
{
    public static Command Create() => new("files", "List and fetch files of a recovery point, without restoring or mounting it.") { ListVerb.Create(), GetVerb.Create() };
}
