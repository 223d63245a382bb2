using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Testing;

namespace Strongroom.Arm.Tests.Http;

public sealed class ArmPipelineTests : IAsyncLifetime
{
    private const string Things = "/subscriptions/" + ArmHost.Subscription + "/resourceGroups/lab/providers/Test.Things/things";
    private const string V = "?api-version=2024-04-01";

    private ArmHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await ArmHost.StartAsync(Map, s => s.AddSingleton<IResourceProvider>(new ThingsProvider()));
        await _host.Store.PutGroupAsync(new ResourceGroup(ArmHost.Subscription, "Lab", "home", ResourceTags.None, _host.Time.GetUtcNow(), _host.Time.GetUtcNow()), default);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Every_answer_carries_ids_and_common_headers()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Things + "/a" + V);
        request.Headers.Add("x-ms-client-request-id", "client-1");
        request.Headers.Add("x-ms-correlation-request-id", "corr-1");
        Answer answer = await _host.SendAsync(request);
        Assert.Equal(200, answer.Status);
        Assert.Equal("application/json; charset=utf-8", answer.Header("Content-Type"));
        Assert.Equal("client-1", answer.Header("x-ms-client-request-id"));
        Assert.Equal("corr-1", answer.Header("x-ms-correlation-request-id"));
        Assert.True(Guid.TryParse(answer.Header("x-ms-request-id"), out _));
        Assert.StartsWith("HOME:20261101T120000Z:", answer.Header("x-ms-routing-request-id"), StringComparison.Ordinal);
        Assert.Equal("no-cache", answer.Header("Cache-Control"));
        Assert.Equal("-1", answer.Header("Expires"));
        Assert.Equal("nosniff", answer.Header("X-Content-Type-Options"));
    }

    [Theory]
    [InlineData("/Subscriptions/{s}/resourcegroups/LAB/Providers/test.things/THINGS//a?api-version=2024-04-01")]
    [InlineData("//subscriptions/{s}//resourceGroups/lab/providers/Test.Things/things/a/?api-version=2030-01-01-preview")]
    [InlineData("/subscriptions/{s}/resourceGroups/lab/providers/Test.Things/things/a?fabricName=Azure?api-version=2024-04-01")]
    public async Task Paths_match_in_any_case_and_with_any_slashes(string path)
    {
        Answer answer = await _host.SendAsync("GET", path.Replace("{s}", ArmHost.Subscription, StringComparison.Ordinal));
        Assert.Equal(200, answer.Status);
        Assert.Equal($"/subscriptions/{ArmHost.Subscription}/resourceGroups/Lab/providers/Test.Things/things/a", (string?)answer.Body!["id"]);
    }

    [Fact]
    public async Task A_semicolon_arrives_escaped_or_not()
    {
        foreach (string name in new[] { "a;b", "a%3Bb", "a%3bb" })
        {
            Assert.EndsWith("/things/a;b", (string?)(await _host.SendAsync("GET", $"{Things}/{name}{V}")).Body!["id"], StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("", "MissingApiVersionParameter")]
    [InlineData("?api-version=", "MissingApiVersionParameter")]
    [InlineData("?api-version=2024-02-30", "InvalidApiVersionParameter")]
    [InlineData("?api-version=latest", "InvalidApiVersionParameter")]
    [InlineData("?api-version=2024-04-01&api-version=2024-04-01", "InvalidApiVersionParameter")]
    public async Task An_api_version_is_obligatory_and_a_date(string query, string code)
    {
        Answer answer = await _host.SendAsync("GET", Things + "/a" + query);
        Assert.Equal((400, code), (answer.Status, answer.Code));
        Assert.Equal("gateway", answer.Header("x-ms-failure-cause"));
    }

    [Fact]
    public async Task Paths_that_are_not_Resource_Managers_need_none() => Assert.Equal(200, (await _host.SendAsync("GET", "/healthz")).Status);

    [Theory]
    [InlineData("GET", "/subscriptions/nonsense/resourceGroups/lab/providers/Test.Things/things/a", 400, "InvalidSubscriptionId")]
    [InlineData("GET", "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/lab/providers/Test.Things/things/a", 404, "SubscriptionNotFound")]
    [InlineData("GET", "/subscriptions/{s}/resourceGroups/none/providers/Test.Things/things/a", 404, "ResourceGroupNotFound")]
    [InlineData("GET", "/subscriptions/{s}/resourceGroups/lab/providers/Microsoft.ClassicStorage/storageAccounts/sa", 404, "InvalidResourceNamespace")]
    [InlineData("GET", "/subscriptions/{s}/resourceGroups/lab/providers/Test.Things/others/a", 404, "InvalidResourceType")]
    [InlineData("GET", "/subscriptions/{s}/nothing", 404, "NotFound")]
    [InlineData("GET", "/nothing", 404, "NotFound")]
    [InlineData("GET", "/", 404, "NotFound")]
    [InlineData("DELETE", "/subscriptions/{s}/resourceGroups/lab/providers/Test.Things/things/a", 405, "MethodNotAllowed")]
    [InlineData("GET", "/subscriptions/{s}/resourceGroups/lab/providers/Test.Things/things/a%5Cb", 400, "InvalidRequestUri")]
    [InlineData("GET", "/subscriptions/{s}/resourceGroups/lab/providers/Test.Things/things/a%2Fb", 400, "InvalidRequestUri")]
    [InlineData("GET", "/subscriptions/{s}/resourceGroups/lab/providers/Test.Things/things/a%0Ab", 400, "InvalidRequestUri")]
    [InlineData("GET", "/subscriptions/{s}/resourceGroups/lab/providers/Test.Things/missing", 404, "ResourceNotFound")]
    [InlineData("GET", "/subscriptions/{s}/resourceGroups/lab/providers/Test.Things/empty404", 404, "InvalidResourceType")]
    [InlineData("GET", "/subscriptions/{s}/resourceGroups/lab/providers/Test.Things/details", 409, "ResourceGroupDeletionBlocked")]
    [InlineData("GET", "/subscriptions/{s}/resourceGroups/lab/providers/Test.Things/busy", 503, "ServerBusy")]
    public async Task Every_refusal_has_the_shape_of_Resource_Manager(string method, string path, int status, string code)
    {
        Answer answer = await _host.SendAsync(method, path.Replace("{s}", ArmHost.Subscription, StringComparison.Ordinal) + V);
        Assert.Equal((status, code), (answer.Status, answer.Code));
        Assert.False(string.IsNullOrWhiteSpace(answer.Message));
        Assert.Equal("application/json; charset=utf-8", answer.Header("Content-Type"));
        Assert.Empty(_host.Log.Lines);
    }

    [Fact]
    public async Task Details_and_retry_after_are_sent()
    {
        Answer details = await _host.SendAsync("GET", Things.Replace("/things", "/details", StringComparison.Ordinal) + V);
        Assert.Equal("Inner", (string?)details.Body!["error"]!["details"]![0]!["code"]);
        Answer busy = await _host.SendAsync("GET", Things.Replace("/things", "/busy", StringComparison.Ordinal) + V);
        Assert.Equal("7", busy.Header("Retry-After"));
    }

    [Fact]
    public async Task A_fault_of_ours_tells_its_tracking_id_and_nothing_else()
    {
        Answer answer = await _host.SendAsync("GET", Things.Replace("/things", "/fault", StringComparison.Ordinal) + V);
        Assert.Equal((500, "InternalServerError"), (answer.Status, answer.Code));
        Assert.DoesNotContain("secret", answer.Message, StringComparison.Ordinal);
        string id = answer.Header("x-ms-request-id")!;
        Assert.Contains(id, answer.Message, StringComparison.Ordinal);
        Assert.Contains(_host.Log.Lines, line => line.Contains(id, StringComparison.Ordinal) && line.Contains("secret", StringComparison.Ordinal));
        Assert.Null(answer.Header("Location"));
    }

    [Theory]
    [InlineData("{", "application/json", 400, "InvalidRequestContent")]
    [InlineData("", "application/json", 400, "InvalidRequestContent")]
    [InlineData("   ", "application/json", 400, "InvalidRequestContent")]
    [InlineData("[]", "application/json", 400, "InvalidRequestContent")]
    [InlineData("null", "application/json", 400, "InvalidRequestContent")]
    [InlineData("{\"a\":1,\"a\":2}", "application/json", 400, "InvalidRequestContent")]
    [InlineData("{\"a\":\"\\ud800\"}", "application/json", 400, "InvalidRequestContent")]
    [InlineData("{\"\\udc00\":1}", "application/json", 400, "InvalidRequestContent")]
    [InlineData("{\"a\":\"\\u0000\"}", "application/json", 400, "InvalidRequestContent")]
    [InlineData("{\"location\":5}", "application/json", 400, "InvalidRequestContent")]
    [InlineData("{\"location\":{}}", "application/json", 400, "InvalidRequestContent")]
    [InlineData("{\"location\":\" \"}", "application/json", 400, "InvalidRequestContent")]
    [InlineData("{\"location\":\"home\"}", "text/plain", 415, "UnsupportedMediaType")]
    [InlineData("{\"location\":\"home\"}", "application/json; charset=utf-16", 415, "UnsupportedMediaType")]
    [InlineData("{\"location\":\"home\"}", "application/json; charset=UTF-8", 200, null)]
    [InlineData("{\"Location\":\"home\"}", "application/merge-patch+json", 200, null)]
    [InlineData("\uFEFF{\"location\":\"home\"}", "application/json", 200, null)]
    public async Task Bodies_are_checked_before_anything_reads_them(string body, string contentType, int status, string? code)
    {
        Answer answer = await _host.SendAsync("PUT", Things + "/a" + V, body, contentType);
        Assert.Equal((status, code), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task A_body_that_nests_too_deep_or_is_no_UTF8_is_refused()
    {
        string deep = string.Concat(Enumerable.Repeat("{\"a\":", 500)) + "1" + new string('}', 500);
        Assert.Equal("InvalidRequestContent", (await _host.SendAsync("PUT", Things + "/a" + V, deep)).Code);
        using var request = new HttpRequestMessage(HttpMethod.Put, Things + "/a" + V) { Content = new ByteArrayContent([.. "{\"location\":\""u8, 0xFF, .. "\"}"u8]) };
        request.Content.Headers.ContentType = new("application/json");
        Assert.Equal("InvalidRequestContent", (await _host.SendAsync(request)).Code);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_huge_body_is_refused_with_or_without_its_length_told(bool isLengthTold)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, Things + "/a" + V);
        byte[] body = new byte[(4 * 1024 * 1024) + 1];
        Array.Fill(body, (byte)' ');
        request.Content = new ByteArrayContent(body);
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.TransferEncodingChunked = !isLengthTold;
        Answer answer = await _host.SendAsync(request);
        Assert.Equal((413, "RequestEntityTooLarge"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task A_huge_body_is_refused_even_where_the_web_server_has_no_limit()
    {
        var options = new ArmOptions { TenantId = ArmHost.Tenant, Subscriptions = [], MaxRequestBodyBytes = 1024 };
        var context = new DefaultHttpContext { RequestServices = new ServiceCollection().AddSingleton(options).BuildServiceProvider() };
        context.Request.Body = new MemoryStream(new byte[1025]);
        Assert.Equal(413, (await Assert.ThrowsAsync<ArmException>(() => RequestBody.ReadAsync(context.Request, default))).Status);
        context.Request.Body = new MemoryStream(new byte[1024]);
        Assert.Equal(1024, (await RequestBody.ReadAsync(context.Request, default)).Length);
    }

    [Fact]
    public async Task A_long_running_answer_has_absolute_urls_with_the_host_of_the_client()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Things + "/a/run" + V);
        request.Headers.Host = "nas.example:444";
        Answer answer = await _host.SendAsync(request);
        Assert.Equal(202, answer.Status);
        Assert.Null(answer.Body);
        Assert.Equal("0", answer.Header("Content-Length"));
        Assert.Equal("3", answer.Header("Retry-After"));
        Assert.Equal("http://nas.example:444/base/B%C3%BCro;x(1)/op?api-version=2024-04-01", answer.Header("Location"));
        Assert.Equal("http://nas.example:444/base/status/MjA0Nw==?api-version=2019-05-13-preview", answer.Header("Azure-AsyncOperation"));
    }

    [Fact]
    public async Task A_client_may_not_smuggle_anything_through_an_echoed_id()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Things + "/a" + V);
        request.Headers.Add("x-ms-client-request-id", new string('x', 200));
        Assert.Null((await _host.SendAsync(request)).Header("x-ms-client-request-id"));
    }

    private static void Map(WebApplication app)
    {
        const string Scope = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Test.Things/";
        app.MapGet("/healthz", () => ArmResults.Ok(new JsonObject()));
        app.MapGet(Scope + "things/{name}", (HttpContext context, string name) =>
            ArmResults.Ok(new JsonObject { ["id"] = ArmScope.Of(context).ResourceId("Test.Things", "things", name).ToString() }));
        app.MapPut(Scope + "things/{name}", async (HttpContext context, CancellationToken cancellationToken) =>
        {
            JsonObject body = await ArmJson.ReadObjectAsync(context.Request, cancellationToken);
            return ArmResults.Ok(new JsonObject { ["location"] = body.RequiredText("location") });
        });
        app.MapPost(Scope + "things/{name}/run", () => new LongRunning
        {
            AsyncOperationPath = "/base/status/MjA0Nw==",
            AsyncOperationApiVersion = "2019-05-13-preview",
            LocationPath = "/base/Büro;x(1)/op",
        });
        app.MapGet(Scope + "missing", (HttpContext context) => Task.FromException(ArmErrors.ResourceNotFound(ArmScope.Of(context).ResourceId("Test.Things", "things", "x"))));
        app.MapGet(Scope + "empty404", () => ArmResults.Empty(404));
        app.MapGet(Scope + "details", () => Task.FromException(ArmErrors.ResourceGroupDeletionBlocked("lab", [new ArmErrorDetail("Inner", "why", "what")])));
        app.MapGet(Scope + "busy", () => Task.FromException(ArmErrors.ServerBusy("Later.", 7)));
        app.MapGet(Scope + "fault", (HttpContext context) =>
        {
            context.Response.Headers.Location = "http://elsewhere";
            return Task.FromException(new InvalidOperationException("secret"));
        });
    }

    private sealed class ThingsProvider : IResourceProvider
    {
        public string Namespace => "Test.Things";

        public IReadOnlyList<ResourceTypeInfo> ResourceTypes => [new("things", ["2024-04-01"])];

        public IReadOnlyList<ProviderOperation> Operations => [];

        public IAsyncEnumerable<ArmResourceSummary> ListAsync(string subscriptionId, string? resourceGroup, CancellationToken cancellationToken) => AsyncEnumerable.Empty<ArmResourceSummary>();

        public Task<ArmException?> CanDeleteAsync(ResourceId id, CancellationToken cancellationToken) => Task.FromResult<ArmException?>(null);

        public Task DeleteAsync(ResourceId id, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
