using System.Diagnostics;

namespace Strongroom.Store.Fuzz;

/// <summary>What a row of inputs did to a parser.</summary>
/// <param name="Inputs">How many there were.</param>
/// <param name="Refused">How many of them were refused with a <see cref="StoreException"/>.</param>
/// <param name="Corpus">Inputs kept because they went new ways (or were there at the beginning).</param>
/// <param name="Branches">Branches with buckets of counts; 0 when the store is not instrumented.</param>
internal sealed record FuzzReport(long Inputs, long Refused, int Corpus, int Branches)
{
    public override string ToString() => $"{Inputs} inputs, {Refused} refused, {Corpus} in the corpus, {Branches} branches";
}

/// <summary>An input that a parser may not answer so.</summary>
internal sealed class FuzzFindingException(string target, byte[] input, string what, Exception? cause)
    : Exception($"{target}: {what}. Input: {Convert.ToBase64String(input)}", cause);

/// <summary>Feeds a parser with mutated inputs and keeps those that go new ways.</summary>
internal static class FuzzLoop
{
    private const int GreatestCorpus = 4096;
    private static readonly TimeSpan GreatestTime = TimeSpan.FromSeconds(5);

    /// <exception cref="FuzzFindingException">Something else than a <see cref="StoreException"/> came out, or too much memory or time was used.</exception>
    /// <param name="target">The parser.</param>
    /// <param name="inputs">How many inputs it is fed.</param>
    /// <param name="limit">After this time no more are.</param>
    /// <param name="seed">Decides the inputs, together with what is kept.</param>
    /// <param name="kept">Where inputs are kept that go new ways; null for nowhere.</param>
    public static FuzzReport Run(FuzzTarget target, long inputs, TimeSpan limit, int seed, CorpusFolder? kept = null)
    {
        var random = new Random(seed);
        var mutator = new Mutator(random);
        using var coverage = new Coverage();
        var corpus = target.Seeds.ToList();
        var refused = 0L;
        foreach (var input in corpus)
        {
            // What is made once (tables, caches) is not charged to the first input, and seeds must be good.
            if (!Execute(target, input, long.MaxValue, coverage, out _))
                throw new FuzzFindingException(target.Name, input, "a seed is refused", null);
        }

        foreach (var input in kept?.Load() ?? [])
        {
            Execute(target, input, target.GreatestAllocationBytes, coverage, out var isNew);
            if (isNew)
                corpus.Add(input);
        }

        var since = Stopwatch.GetTimestamp();
        var done = 0L;
        for (; done < inputs; done++)
        {
            if ((done & 1023) == 0 && Stopwatch.GetElapsedTime(since) > limit)
                break;
            var input = mutator.Mutate(corpus[random.Next(corpus.Count)], corpus[random.Next(corpus.Count)]);
            if (!Execute(target, input, target.GreatestAllocationBytes, coverage, out var isNew))
                refused++;
            if (!isNew || corpus.Count >= GreatestCorpus)
                continue;
            corpus.Add(input);
            kept?.Keep(input);
        }

        return new(done, refused, corpus.Count, coverage.Count);
    }

    private static bool Execute(FuzzTarget target, byte[] input, long greatestAllocation, Coverage coverage, out bool isNew)
    {
        var isTaken = true;
        var time = TimeSpan.Zero;
        isNew = false;

        // On a busy machine anything may take long once; what takes long is what does so each time.
        for (var attempt = 0; attempt == 0 || (time > GreatestTime && attempt < 3); attempt++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var since = Stopwatch.GetTimestamp();
            coverage.Begin();
            isTaken = IsTaken(target, input);
            isNew |= coverage.End();
            time = Stopwatch.GetElapsedTime(since);
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (allocated > greatestAllocation)
                throw new FuzzFindingException(target.Name, input, $"{allocated} bytes were allocated", null);
        }

        return time <= GreatestTime ? isTaken : throw new FuzzFindingException(target.Name, input, $"it took {time}", null);
    }

    private static bool IsTaken(FuzzTarget target, byte[] input)
    {
        try
        {
            target.Run(input);
            return true;
        }
        catch (StoreException)
        {
            return false;
        }
        catch (Exception failure)
        {
            throw new FuzzFindingException(target.Name, input, $"{failure.GetType().Name} came out: {failure.Message}", failure);
        }
    }
}
