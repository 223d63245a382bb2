using System.Text.Json.Nodes;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Arm;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.Access;

/// <summary>The activity log: every write, who and what came of it, and nothing else.</summary>
public sealed class ActivityLogTests : IAsyncLifetime
{
    private const string Log = BackupHost.Subscription + "/providers/Microsoft.Insights/eventtypes/management/values";
    private const string Since = "?$filter=eventTimestamp ge '2026-01-01T00:00:00Z'";

    private GuardedHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await GuardedHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_write_is_in_the_log_when_it_is_answered_with_who_what_and_result()
    {
        Guid reader = await _host.PrincipalAsync(BuiltInRoles.Reader);
        Answer refused = await _host.SendAsync(reader, "DELETE", BackupHost.Lab);
        await _host.GetAsync(reader, BackupHost.Lab);

        JsonNode entry = (await _host.GetAsync(reader, Log + Since, "2015-04-01")).Value[0]!;

        Assert.Equal(
            (Tokens.ClientOf(reader), reader.ToString(), "Microsoft.Resources/subscriptions/resourceGroups/delete", BackupHost.Lab, "Failed", "Forbidden"),
            ((string?)entry["caller"], (string?)entry["claims"]!["oid"], (string?)entry["operationName"]!["value"], (string?)entry["resourceId"], (string?)entry["status"]!["value"], (string?)entry["subStatus"]!["value"]));
        Assert.Equal((refused.Header("x-ms-correlation-request-id"), "DELETE", "lab"), ((string?)entry["correlationId"], (string?)entry["httpRequest"]!["method"], (string?)entry["resourceGroupName"]));
    }

    [Fact]
    public async Task The_log_is_filtered_and_paged_newest_first()
    {
        for (int i = 0; i < 5; i++)
        {
            _host.Host.Time.Advance(TimeSpan.FromMinutes(1));
            Assert.Equal(200, (await _host.SendAsync(Tokens.Administrator, "PATCH", GuardedHost.Office, $$$"""{"tags":{"n":"{{{i}}}"}}""")).Status);
        }

        Answer page = await _host.GetAsync(Tokens.Administrator, Log + Since + " and resourceGroupName eq 'OFFICE' and status eq 'succeeded'&$top=4", "2015-04-01");
        Assert.Equal(4, page.Value.Count);
        Assert.True(string.CompareOrdinal((string?)page.Value[0]!["eventTimestamp"], (string?)page.Value[1]!["eventTimestamp"]) > 0);
        string next = ((string)page.Body!["nextLink"]!)[_host.Host.Authority.Length..];
        Answer rest = await _host.GetAsync(Tokens.Administrator, next.Replace("&api-version=2015-04-01", "", StringComparison.Ordinal), "2015-04-01");
        Assert.Equal(2, rest.Value.Count);
        Assert.Null(rest.Body!["nextLink"]);
        string one = (string)page.Value[2]!["correlationId"]!;
        Assert.Single((await _host.GetAsync(Tokens.Administrator, $"{Log}{Since} and correlationId eq '{one}'")).Value);
        Assert.Empty((await _host.GetAsync(Tokens.Administrator, $"{Log}?$filter=eventTimestamp ge '2026-10-01T00:00:00Z' and eventTimestamp le '2026-10-31T00:00:00Z'")).Value);
        Assert.Empty((await _host.GetAsync(Tokens.Administrator, $"{Log}{Since} and caller eq '{Guid.NewGuid()}'")).Value);
        foreach (string filter in new[] { "", "?$filter=eventTimestamp ge 'yesterday'", Since + " and colour eq 'red'", Since + " and status ge 'x'", Since + "&$skipToken=MXg" })
            Assert.Equal(400, (await _host.GetAsync(Tokens.Administrator, Log + filter)).Status);
    }

    [Fact]
    public async Task Whoever_reads_a_group_reads_the_log_of_that_group()
    {
        Guid reader = await _host.PrincipalAsync(BuiltInRoles.Reader, GuardedHost.Office);
        Assert.Equal(403, (await _host.GetAsync(reader, Log + Since)).Status);
        Assert.Equal(403, (await _host.GetAsync(reader, Log + Since + " and resourceGroupName eq 'lab'")).Status);
        Assert.All((await _host.GetAsync(reader, Log + Since + " and resourceGroupName eq 'office'")).Value, e => Assert.Equal("office", (string?)e!["resourceGroupName"]));
    }

    [Fact]
    public async Task Events_are_kept_for_ninety_days()
    {
        Assert.NotEmpty((await _host.GetAsync(Tokens.Administrator, Log + Since)).Value);
        _host.Host.Time.Advance(TimeSpan.FromDays(89));
        Assert.NotEmpty((await _host.GetAsync(Tokens.Administrator, Log + Since)).Value);
        _host.Host.Time.Advance(TimeSpan.FromDays(2));
        Assert.Empty((await _host.GetAsync(Tokens.Administrator, Log + Since)).Value);
    }
}
