using Strongroom.Store.Blobs.Conformance;

namespace Strongroom.Store.Tests.Blobs;

internal static class Conformance
{
    /// <summary>Enough for a fast back end in a second.</summary>
    public static readonly ConformanceOptions Quick = new() { ListedBlobs = 300, LargeBlobBytes = 3 << 20 };

    public static async Task RequireAsync(IBlobBackend backend)
    {
        var report = await RunAsync(backend);
        Assert.True(report.IsConforming, string.Join('\n', report.Results.Where(result => !result.HasPassed).Select(result => $"{result.Rule}: {result.Violation}")));
        Assert.True(report.Results.Count >= 20);
    }

    public static Task<ConformanceReport> RunAsync(IBlobBackend backend) =>
        BackendConformance.RunAsync(backend, Quick, TimeProvider.System, null, TestContext.Current.CancellationToken);
}
