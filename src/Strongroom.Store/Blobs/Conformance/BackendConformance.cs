using System.Security.Cryptography;

namespace Strongroom.Store.Blobs.Conformance;

/// <summary>Checks by trying that a back end keeps every rule of <see cref="IBlobBackend"/> that the store relies on, and of <see cref="IRetainingBackend"/> where that is available.</summary>
public static class BackendConformance
{
    /// <summary>The folder that runs make theirs in; nothing in a vault is there.</summary>
    public const string ScratchFolder = "verify/";

    private static readonly ConformanceRule[] Rules = [.. CreateRules.All, .. ReadRules.All, .. WriterRules.All, .. ListRules.All];

    /// <summary>Tries every rule in a folder of its own, which is removed afterwards. May run beside backups.</summary>
    /// <param name="backend">The place to try; writing and deleting must be allowed.</param>
    /// <param name="options">How much.</param>
    /// <param name="time">Measures, and waits for the end of retention.</param>
    /// <param name="progress">Each result as it comes; may be null.</param>
    /// <param name="cancellationToken">Ends the run without a report; what it made is removed still.</param>
    /// <exception cref="StoreException">The place cannot be written at all, or the folder could not be removed.</exception>
    public static async Task<ConformanceReport> RunAsync(
        IBlobBackend backend, ConformanceOptions options, TimeProvider time, IProgress<ConformanceResult>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        var folder = $"{ScratchFolder}{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}/";

        // Wrong credentials or a missing bucket are no matter of rules: the first blob tells.
        await backend.PutIfAbsentAsync($"{folder}first", new byte[1], cancellationToken);
        try
        {
            var results = new List<ConformanceResult>();
            var isRetaining = (await NoRetention.Or(backend).GetSupportAsync(cancellationToken)).IsAvailable;
            foreach (var rule in isRetaining ? [.. Rules, .. RetentionRules.All] : Rules)
            {
                var begun = time.GetTimestamp();
                var violation = await TryAsync(rule, new(backend, $"{folder}{rule.Name}/", options, time), cancellationToken);
                results.Add(new(rule.Name, rule.Requirement, violation, time.GetElapsedTime(begun)));
                progress?.Report(results[^1]);
            }

            return new(results);
        }
        finally
        {
            await RemoveAsync(backend, folder);
        }
    }

    private static async Task<string?> TryAsync(ConformanceRule rule, Scratch scratch, CancellationToken cancellationToken)
    {
        try
        {
            await rule.TryAsync(scratch, cancellationToken);
            return null;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (RuleViolationException violation)
        {
            return violation.Message;
        }
        catch (Exception failure)
        {
            // A back end that breaks rules may throw anything.
            return $"A call failed that must succeed: {failure.Message}";
        }
    }

    private static async Task RemoveAsync(IBlobBackend backend, string folder)
    {
        var names = new List<string>();
        await foreach (var blob in backend.ListAsync(folder, CancellationToken.None))
            names.Add(blob.Name);
        await Parallel.ForEachAsync(names, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (name, _) => await backend.DeleteAsync(name, CancellationToken.None));
    }
}
