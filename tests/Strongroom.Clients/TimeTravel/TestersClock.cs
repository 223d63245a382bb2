using System.Globalization;
using System.Text.Json.Nodes;
using Strongroom.Clients.Rest;

namespace Strongroom.Clients.TimeTravel;

/// <summary>The clock of a server that was started with --time-travel, over its API.</summary>
internal sealed class TestersClock : TimeProvider
{
    public const string Url = "/providers/Strongroom.Testing/clock?api-version=2026-11-01";
    private DateTimeOffset _now;

    /// <summary>What the server said last.</summary>
    public override DateTimeOffset GetUtcNow() => _now;

    public async Task<DateTimeOffset> LookAsync(ArmClient client, CancellationToken cancellationToken) =>
        _now = Read(await client.GetAsync(Url, cancellationToken));

    /// <param name="duration">ISO 8601, such as P1D.</param>
    public async Task<DateTimeOffset> AdvanceAsync(ArmClient client, string duration, CancellationToken cancellationToken) =>
        _now = Read((await client.ChangeAsync(HttpMethod.Post, Url, new JsonObject { ["advance"] = duration }, cancellationToken))!);

    public async Task<DateTimeOffset> SetAsync(ArmClient client, string time, CancellationToken cancellationToken) =>
        _now = Read((await client.ChangeAsync(HttpMethod.Post, Url, new JsonObject { ["set"] = time }, cancellationToken))!);

    public static DateTimeOffset Time(JsonNode? text) => DateTimeOffset.Parse(text!.GetValue<string>(), CultureInfo.InvariantCulture);

    private static DateTimeOffset Read(JsonNode answer) => Time(answer["now"]);
}
