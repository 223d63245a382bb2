using Strongroom.Store.Blobs.Conformance;

namespace Strongroom.Store.S3.Tests;

internal static class Conformity
{
    /// <summary>Fails the test unless every rule of back ends is kept, as a vault's place is used: with retries, for Ceph now and then answers one of many racing requests with a bare 400.</summary>
    public static async Task<ConformanceReport> RequireAsync(IBlobBackend backend, int largeBlobBytes, CancellationToken cancellationToken, int listedBlobs = 150)
    {
        var options = new ConformanceOptions { ListedBlobs = listedBlobs, LargeBlobBytes = largeBlobBytes, RaceRounds = 4 };
        var patient = new RetryingBackend(backend, new RetryOptions(), TimeProvider.System);
        var report = await BackendConformance.RunAsync(patient, options, TimeProvider.System, null, cancellationToken);
        Assert.True(report.IsConforming, string.Join('\n', report.Results.Select(result => $"{result.Rule} {result.Duration.TotalSeconds:f2} s {result.Violation}")));
        return report;
    }
}
