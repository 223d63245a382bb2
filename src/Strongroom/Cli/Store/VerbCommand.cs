using System.CommandLine;

namespace Strongroom.Cli.Store;

/// <summary>A verb of <c>strongroom store</c> that ends with a result: as text, or as one JSON object.</summary>
internal sealed class VerbCommand : RawVerbCommand
{
    private readonly Option<OutputFormat> output = new("--output")
    {
        Description = "Text, or Json: then the last line on standard output is one JSON object.",
        DefaultValueFactory = _ => OutputFormat.Text,
    };

    public VerbCommand(string name, string description, bool needsKey = true)
        : base(name, description, needsKey) => Add(output);

    protected override OutputFormat FormatOf(ParseResult parsed) => parsed.GetValue(output);

    /// <summary>What the verb does.</summary>
    public void SetVerb(Func<ParseResult, VerbContext, CancellationToken, Task<VerbResult>> run) =>
        SetVerb(async (parsed, context, cancellationToken) =>
        {
            var result = await run(parsed, context, cancellationToken);
            context.Console.Write(result);
            return result.ExitCode;
        });
}
