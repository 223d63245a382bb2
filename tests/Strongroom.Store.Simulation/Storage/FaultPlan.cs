namespace Strongroom.Store.Simulation.Storage;

/// <summary>What may happen at a door call.</summary>
internal enum Fault
{
    None,

    /// <summary>An error, and nothing was done: a 5xx, a lost request.</summary>
    ErrorBefore,

    /// <summary>An error, and it was done: a lost answer.</summary>
    ErrorAfter,

    /// <summary>"The name is taken", though it is not, or is by this very call (a request that was delivered twice).</summary>
    Conflict,

    /// <summary>No space.</summary>
    Full,

    /// <summary>Fewer bytes than there are.</summary>
    ShortRead,

    /// <summary>One bit of what is read is wrong, this time; what is stored is right.</summary>
    Misread,

    /// <summary>The process dies, and nothing was done.</summary>
    CrashBefore,

    /// <summary>The process dies, and it was done.</summary>
    CrashAfter,

    /// <summary>The power fails when it is done but not yet durable.</summary>
    PowerCut,
}

/// <summary>Which faults happen, and how often; a part of the seed. Used by the simulation's one thread.</summary>
internal sealed class FaultPlan
{
    private readonly Dictionary<Fault, double> chances = [];

    /// <summary>True when reads may go wrong: then a reader may see damage that is not there.</summary>
    public bool HasWrongReads => AtCall < 0 ? chances.ContainsKey(Fault.ShortRead) || chances.ContainsKey(Fault.Misread) : FaultAtCall is Fault.ShortRead or Fault.Misread;

    /// <summary>Chance per action that a stored blob is damaged.</summary>
    public double Rot { get; init; }

    /// <summary>The greatest delay of a call, in milliseconds.</summary>
    public int LatencyMilliseconds { get; init; } = 20;

    /// <summary>The call, counted from 0, at which <see cref="FaultAtCall"/> happens; -1 for none.</summary>
    public long AtCall { get; init; } = -1;

    public Fault FaultAtCall { get; init; }

    /// <summary>Calls so far.</summary>
    public long Calls { get; private set; }

    public bool IsQuiet { get; set; }

    public static FaultPlan None() => new() { IsQuiet = true };

    /// <summary>Processes die, and the power fails, far more often than otherwise.</summary>
    public static FaultPlan Deadly() => new()
    {
        chances = { [Fault.CrashBefore] = 0.02, [Fault.CrashAfter] = 0.02, [Fault.PowerCut] = 0.02 },
        LatencyMilliseconds = 1,
    };

    /// <summary>Each kind of fault is in or out, and those that are in are rare or frequent: a mixture finds what one rate for all does not.</summary>
    public static FaultPlan Choose(Random random)
    {
        var plan = new FaultPlan { Rot = random.Next(4) == 0 ? 0.03 : 0, LatencyMilliseconds = random.Next(3) switch { 0 => 1, 1 => 20, _ => 2000 } };
        foreach (var fault in Enum.GetValues<Fault>().Where(fault => fault != Fault.None))
        {
            if (random.Next(3) == 0)
                plan.chances[fault] = fault >= Fault.CrashBefore ? 0.002 : random.Next(2) == 0 ? 0.003 : 0.02;
        }

        return plan;
    }

    public Fault Next(Random random)
    {
        var call = Calls++;
        if (IsQuiet)
            return Fault.None;
        if (AtCall >= 0)
            return call == AtCall ? FaultAtCall : Fault.None;
        foreach (var (fault, chance) in chances)
        {
            if (random.NextDouble() < chance)
                return fault;
        }

        return Fault.None;
    }
}
