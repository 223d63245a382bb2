using System.Globalization;
using Strongroom.Store.Simulation;
using Strongroom.Store.Simulation.PowerCut;
using Strongroom.Store.Simulation.Processes;
using Strongroom.Store.Simulation.Storage;

static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

switch (args)
{
    case ["--seed", var seed, .. var how]:
        Console.WriteLine(Runs.Play(Number(seed), how is ["--trace"] ? Console.WriteLine : null));
        return 0;
    case ["--seeds", var first, var count]:
        return Runs.PlayMany(Number(first), Number(count), TimeSpan.MaxValue);
    case ["--minutes", var minutes, .. var from]:
        return Runs.PlayMany(from is [var start] ? Number(start) : 1, int.MaxValue, TimeSpan.FromMinutes(double.Parse(minutes, CultureInfo.InvariantCulture)));
    case ["--every-call", var fault, .. var stride]:
        return Runs.PlayEveryCall(Enum.Parse<Fault>(fault), stride is [var calls] ? Number(calls) : 1);
    case ["--workload", var folder, var number, .. var how]:
        return await Workload.RunAsync(folder, (int)Number(number), isEndless: how is ["--endless"]);
    case ["--chore", var chore, var folder, var copy]:
        return await Chores.RunAsync(chore, folder, copy);
    case ["--racer", var role, var folder, var number]:
        return await Racers.RunAsync(role, folder, (int)Number(number));
    default:
        // Without arguments of ours this is a test program.
        return await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
}
