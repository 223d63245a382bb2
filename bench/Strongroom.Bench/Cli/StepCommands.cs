using System.CommandLine;
using System.Text.Json.Nodes;
using Strongroom.Bench.Indexing;
using Strongroom.Bench.Marking;
using Strongroom.Bench.Steps;

namespace Strongroom.Bench.Cli;

/// <summary>What this program calls itself for, so that each step is a process whose memory and start are measured with it.</summary>
internal static class StepCommands
{
    private static readonly Argument<string> Vault = new("VAULT");
    private static readonly Option<string> Image = Options.Required("--image", "The disk");
    private static readonly Option<string> Snapshot = Options.Required("--snapshot", "The recovery point");

    // Taken so that the arguments are those of the real command; there is no other output.
    private static readonly Option<string?> Output = Options.Optional("--output", "json");

    public static Command Step() => new("step", "One step, called by the other verbs")
    {
        Init(), BackUp(), Restore(), Verify(), Read(), BackUpUntil(), IndexBuild(), IndexOpen(), MarkBuild(), Mark(),
    };

    private static Command Init() => Options.Verb("init", "", [Vault, Output], async (parsed, _) =>
    {
        await StoreSteps.InitAsync(parsed.GetRequiredValue(Vault));
        return 0;
    });

    private static Command BackUp()
    {
        var changed = Options.Optional("--changed", "Lines 'offset length'");
        var parent = Options.Optional("--parent", "The recovery point before");
        return Json("backup", [Vault, Image, changed, parent, Output], parsed => StoreSteps.BackUpAsync(
            parsed.GetRequiredValue(Vault), parsed.GetRequiredValue(Image), parsed.GetValue(changed), parsed.GetValue(parent)));
    }

    private static Command Restore()
    {
        var to = Options.Required("--to", "The file to make");
        return Json("restore", [Vault, Snapshot, to, Output], parsed => StoreSteps.RestoreAsync(
            parsed.GetRequiredValue(Vault), parsed.GetRequiredValue(Snapshot), parsed.GetRequiredValue(to)));
    }

    private static Command Verify()
    {
        var readData = new Option<bool>("--read-data");
        return Json("verify", [Vault, readData, Output], parsed => StoreSteps.VerifyAsync(parsed.GetRequiredValue(Vault)));
    }

    private static Command Read()
    {
        var original = Options.Required("--original", "The disk that was backed up");
        var count = Options.Standard("--count", "Reads", 20_000);
        return Json("read", [Vault, Snapshot, original, count], parsed => StoreSteps.ReadAsync(
            parsed.GetRequiredValue(Vault), parsed.GetRequiredValue(Snapshot), parsed.GetRequiredValue(original), parsed.GetValue(count)));
    }

    private static Command BackUpUntil()
    {
        var stop = Options.Required("--stop", "Ends when this file is there");
        return Options.Verb("backup-until", "", [Vault, Image, stop], async (parsed, _) =>
        {
            await StoreSteps.BackUpUntilAsync(parsed.GetRequiredValue(Vault), parsed.GetRequiredValue(Image), parsed.GetRequiredValue(stop));
            return 0;
        });
    }

    private static Command IndexBuild()
    {
        var records = new Option<long>("--records");
        return Json("index-build", [Vault, records], parsed => IndexBench.BuildAsync(parsed.GetRequiredValue(Vault), parsed.GetValue(records)));
    }

    private static Command IndexOpen()
    {
        var records = new Option<long>("--records");
        return Json("index-open", [Vault, records], parsed => IndexBench.OpenAsync(parsed.GetRequiredValue(Vault), parsed.GetValue(records)));
    }

    private static Command MarkBuild()
    {
        var recipe = new BenchCommands.RecipeOptions();
        return Json("mark-build", [Vault, .. recipe.All], parsed => MarkBench.BuildAsync(parsed.GetRequiredValue(Vault), recipe.Read(parsed)));
    }

    private static Command Mark() => Json("mark", [Vault], parsed => MarkBench.MarkAsync(parsed.GetRequiredValue(Vault)));

    private static Command Json(string name, IEnumerable<Symbol> symbols, Func<ParseResult, Task<JsonObject>> work) =>
        Options.Verb(name, "", symbols, async (parsed, _) =>
        {
            Console.WriteLine((await work(parsed)).ToJsonString());
            return 0;
        });
}
