using System.Globalization;
using Strongroom.Store.Fuzz;

switch (args)
{
    // fuzz.sh calls these, the second one with an instrumented store.
    case ["--targets"]:
        foreach (var target in AllTargets.List)
            Console.WriteLine(target.Name);
        return 0;
    case ["--fuzz", var name, var inputs, var minutes, var seed, var corpora]:
        var limit = TimeSpan.FromMinutes(double.Parse(minutes, CultureInfo.InvariantCulture));
        try
        {
            var target = AllTargets.List.Single(target => target.Name == name);
            var count = long.Parse(inputs, CultureInfo.InvariantCulture);
            var report = FuzzLoop.Run(target, count, limit, int.Parse(seed, CultureInfo.InvariantCulture), new(Path.Combine(corpora, name)));
            Console.WriteLine($"{name}: {report}, nothing found");
            return 0;
        }
        catch (FuzzFindingException finding)
        {
            Console.WriteLine($"FAILED {finding}");
            return 1;
        }

    default:
        return await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
}
