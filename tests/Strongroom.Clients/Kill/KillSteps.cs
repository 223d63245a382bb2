using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Strongroom.Clients.Rest;

namespace Strongroom.Clients.Kill;

/// <summary>What all kill tests do.</summary>
internal static class KillSteps
{
    private static readonly TimeSpan SettleLimit = TimeSpan.FromMinutes(5);

    public static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : null;

    public static Task<IReadOnlyList<JsonNode>> JobsAsync(ArmClient client, Lab lab, CancellationToken cancellationToken) =>
        client.ListAsync(lab.VaultUrl("backupJobs"), cancellationToken);

    /// <summary>Waits until no job is live, which must come by itself.</summary>
    public static async Task<TimeSpan> SettleAsync(ArmClient client, Lab lab, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var live = (await JobsAsync(client, lab, cancellationToken)).Where(Jobs.IsLive).ToList();
            if (live.Count == 0)
                return watch.Elapsed;
            Assert.True(watch.Elapsed < SettleLimit, $"Stuck {SettleLimit} after the restart: {live[0].ToJsonString()}");
            await Task.Delay(ArmClient.PollInterval, cancellationToken);
        }
    }

    /// <summary>Waits for a request whose server may be gone before it answers: that is the point of the test.</summary>
    public static async Task SwallowAsync(Task<HttpResponseMessage> request)
    {
        try
        {
            using var answer = await request;
        }
        catch (HttpRequestException)
        {
        }
    }
}
