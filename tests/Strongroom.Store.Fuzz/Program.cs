using System.Globalization;
using Strongroom.Store.Fuzz;

// fuzz.sh calls this with an instrumented store: --fuzz TARGET|all INPUTS MINUTES [SEED]
if (args is ["--fuzz", var name, var inputs, var minutes, .. var rest])
{
    var seed = rest is [var chosen] ? int.Parse(chosen, CultureInfo.InvariantCulture) : 1;
    var limit = TimeSpan.FromMinutes(double.Parse(minutes, CultureInfo.InvariantCulture));
    var failed = 0;
    foreach (var target in AllTargets.List.Where(target => name == "all" || target.Name == name))
    {
        try
        {
            Console.WriteLine($"{target.Name}: {FuzzLoop.Run(target, long.Parse(inputs, CultureInfo.InvariantCulture), limit, seed)}");
        }
        catch (FuzzFindingException finding)
        {
            Console.WriteLine($"FAILED {finding}");
            failed++;
        }
    }

    return failed == 0 ? 0 : 1;
}

return await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
