using System.CommandLine;

namespace Strongroom.Cli.Store;

/// <summary>A verb of <c>strongroom store</c>: the vault comes first, the key never stands in an argument, and every end has an exit code.</summary>
internal class RawVerbCommand : Command
{
    private readonly Argument<string> vault = new("VAULT") { Description = $"The vault: {LocationArgument.Description}." };

    private readonly Option<string?> keyFile = new("--key-file")
    {
        Description = $"The key file. Otherwise {VaultKey.KeyFileVariable} names it, or {VaultKey.PassphraseVariable} holds a passphrase.",
    };

    private readonly LimitOptions limits = new();

    /// <param name="needsKey">False for what looks at the place and not into a vault.</param>
    public RawVerbCommand(string name, string description, bool needsKey = true)
        : base(name, description)
    {
        Add(vault);
        if (needsKey)
            Add(keyFile);
        limits.AddTo(this);
    }

    /// <summary>What the verb does; what it returns is the exit code.</summary>
    public void SetVerb(Func<ParseResult, VerbContext, CancellationToken, Task<int>> run) =>
        this.SetCancellableAction(async (parsed, cancellationToken) =>
        {
            var console = new VerbConsole(FormatOf(parsed), TimeProvider.System);
            await using var context = new VerbContext(parsed.GetRequiredValue(vault), parsed.GetValue(keyFile), limits.MakeBudget(parsed, TimeProvider.System), console, TimeProvider.System);
            try
            {
                return await run(parsed, context, cancellationToken);
            }
            catch (Exception failure) when (VerbFailure.Of(failure, cancellationToken) is { } known)
            {
                console.Write(known);
                return known.ExitCode;
            }
        });

    protected virtual OutputFormat FormatOf(ParseResult parsed) => OutputFormat.Text;
}
