using System.CommandLine;
using Strongroom.Cli.Store;
using Strongroom.Client;

namespace Strongroom.Cli.Files;

/// <summary>A verb of <c>strongroom files</c>: its common options, and how it ends.</summary>
internal sealed class FilesVerb : Command
{
    private readonly ServerOptionSet _server = new();
    private readonly Argument<string> _path = new("PATH") { Description = "A volume and a path in it, such as /disk0-part1/etc; / for the volumes.", DefaultValueFactory = _ => "/" };
    private readonly Option<bool> _encoded = new("--encoded") { Description = "PATH is percent-encoded, as --output json shows it: for names that are no text." };
    private readonly Option<OutputFormat> _output = new("--output") { Description = "Text, or Json: then the last line on standard output is one JSON object.", DefaultValueFactory = _ => OutputFormat.Text };

    public FilesVerb(string name, string description)
        : base(name, description)
    {
        Add(_path);
        _server.AddTo(this);
        Add(_encoded);
        Add(_output);
    }

    /// <summary>What the verb does with the recovery point's files and the path, ready for a query.</summary>
    public void SetVerb(Func<ParseResult, PointFiles, string, VerbConsole, CancellationToken, Task<VerbResult>> run) =>
        this.SetCancellableAction(async (parsed, cancellationToken) =>
        {
            var console = new VerbConsole(parsed.GetValue(_output), TimeProvider.System);
            try
            {
                var path = PointFiles.Encode(parsed.GetRequiredValue(_path), parsed.GetValue(_encoded));
                using var files = await PointFiles.OpenAsync(_server.Access(parsed), _server.Choice(parsed), TimeProvider.System, cancellationToken);
                var result = await run(parsed, files, path, console, cancellationToken);
                console.Write(result);
                return result.ExitCode;
            }
            catch (Exception e) when (FailureOf(e, cancellationToken) is { } failure)
            {
                console.Write(failure);
                return failure.ExitCode;
            }
        });

    private static VerbFailure? FailureOf(Exception exception, CancellationToken cancellationToken) => exception switch
    {
        _ when cancellationToken.IsCancellationRequested => new("Interrupted", "Stopped.", ExitCodes.Interrupted),
        ArmRequestException refused => new(refused.Code, Shown.Text(refused.Message), ExitCodes.Failed),
        ClientException => new("Failed", Shown.Text(exception.Message), ExitCodes.Failed),
        HttpRequestException or HttpIOException => new("Connection", Shown.Text((exception.InnerException ?? exception).Message), ExitCodes.Failed),
        _ => VerbFailure.Of(exception, cancellationToken),
    };
}
