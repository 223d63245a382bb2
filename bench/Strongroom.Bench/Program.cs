using System.CommandLine;
using Strongroom.Bench.Cli;
using Strongroom.Bench.Measuring;

// Not through the library: what is measured takes arguments of its own.
if (args is [MeasuredProcess.Verb, var result, .. var command] && command.Length > 0)
    return await MeasuredProcess.MeasureAsync(result, command);

// A child is ended and a folder removed before this program ends.
return await new RootCommand("Measures the store: beside its peers, at size, and against what the machine can do.")
{
    BenchCommands.Image(),
    BenchCommands.Peers(),
    BenchCommands.Files(),
    BenchCommands.Iscsi(),
    BenchCommands.Nbd(),
    BenchCommands.Live(),
    BenchCommands.Index(),
    BenchCommands.Mark(),
    BenchCommands.Primitives(),
    BenchCommands.Limits(),
    BenchCommands.Soak(),
    StepCommands.Step(),
}.Parse(args).InvokeAsync(new() { ProcessTerminationTimeout = TimeSpan.FromSeconds(30) });
