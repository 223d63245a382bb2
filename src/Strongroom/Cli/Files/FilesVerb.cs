using System.CommandLine;
using Strongroom.Cli.Store;
using Strongroom.Client;

namespace Strongroom.Cli.Files;

/// <summary>A verb of <c>strongroom files</c>: its common options, and how it ends.</summary>
internal sealed class FilesVerb : Command
{
    private readonly ServerOptionSet _server = new();
    private readonly Argument<string> _path = new("PATH") { Description = "A volume and a path in it, such as /disk0-part1/etc; / for the volumes." };
    private readonly Option<bool> _encoded = new("--encoded") { Description = "PATH is percent-encoded, as --output json shows it: for names that are no text." };
    private readonly Option<OutputFormat> _output = new("--output", "-o") { Description = "Text, or Json: then the last line on standard output is one JSON object.", DefaultValueFactory = _ => OutputFormat.Text };

    /// <param name="name">What it is called.</param>
    /// <param name="description">What it does.</param>
    /// <param name="isPathNeeded">Whether no path is an error; otherwise it is the root.</param>
    public FilesVerb(string name, string description, bool isPathNeeded)
        : base(name, description)
    {
        if (!isPathNeeded) _path.DefaultValueFactory = static _ => "/";
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
            ServerAccess? access = null;
            try
            {
                var path = PointFiles.Encode(parsed.GetRequiredValue(_path), parsed.GetValue(_encoded));
                using var files = await PointFiles.OpenAsync(access = _server.Access(parsed), _server.Choice(parsed), TimeProvider.System, cancellationToken);
                var result = await run(parsed, files, path, console, cancellationToken);
                console.Write(result);
                return result.ExitCode;
            }
            catch (Exception e) when (FailureOf(e, access?.Endpoint, cancellationToken) is { } failure)
            {
                console.Write(failure);
                return failure.ExitCode;
            }
        });

    private static VerbFailure? FailureOf(Exception exception, Uri? server, CancellationToken cancellationToken) => exception switch
    {
        _ when cancellationToken.IsCancellationRequested => new("Interrupted", "Stopped.", ExitCodes.Interrupted),
        ArmRequestException refused => new(refused.Code, Shown.Text(refused.Message), ExitCodes.Failed),
        ClientException => new("Failed", Shown.Text(exception.Message), ExitCodes.Failed),
        HttpRequestException or HttpIOException => new("Connection", Shown.Text(ConnectionText(exception, server)), ExitCodes.Failed),
        _ => VerbFailure.Of(exception, cancellationToken),
    };

    private static string ConnectionText(Exception exception, Uri? server)
    {
        var reason = (exception.InnerException ?? exception).Message;
        return exception is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError }
            ? $"The certificate of {server} is not trusted: {reason} Name the server's certificate authority with --ca."
            : $"The connection to {server} failed: {reason}";
    }
}
