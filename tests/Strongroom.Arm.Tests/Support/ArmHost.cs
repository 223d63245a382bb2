using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Strongroom.Arm;

namespace Strongroom.Testing;

/// <summary>A real Kestrel on a free port of 127.0.0.1 with the pipeline in front of the endpoints under test.</summary>
public sealed class ArmHost : IAsyncDisposable
{
    public const string Subscription = "11111111-2222-3333-4444-555555555555";
    public const string Tenant = "99999999-8888-7777-6666-555555555555";

    // Uri would resolve dot segments and decode escapes before the server could see them.
    private static readonly UriCreationOptions s_verbatim = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private readonly WebApplication _app;

    private ArmHost(WebApplication app, HttpClient client, InMemoryResourceStore store, FakeTimeProvider time, LogSink log)
    {
        _app = app;
        Client = client;
        Store = store;
        Time = time;
        Log = log;
    }

    public HttpClient Client { get; }

    public InMemoryResourceStore Store { get; }

    public FakeTimeProvider Time { get; }

    public LogSink Log { get; }

    /// <summary>Everything that is mapped.</summary>
    public IEnumerable<RouteEndpoint> Endpoints => ((IEndpointRouteBuilder)_app).DataSources.SelectMany(s => s.Endpoints).OfType<RouteEndpoint>();

    public static async Task<ArmHost> StartAsync(Action<WebApplication> map, Action<IServiceCollection>? services = null, Action<IApplicationBuilder>? authentication = null)
    {
        var store = new InMemoryResourceStore();
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 1, 12, 0, 0, TimeSpan.Zero));
        var log = new LogSink();
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Logging.AddProvider(log);
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddSingleton<IResourceStore>(store);
        builder.Services.AddSingleton(new ArmOptions
        {
            TenantId = Tenant,
            Subscriptions = [new ArmSubscription(Subscription, "Home lab")],
            Locations = [new ArmLocation("home", "Home"), new ArmLocation("cellar", "The Cellar")],
            RetryAfterSeconds = 3,
        });
        services?.Invoke(builder.Services);
        WebApplication app = builder.Build();
        app.UseArmPipeline(authentication);
        map(app);
        await app.StartAsync();
        var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        return new ArmHost(app, client, store, time, log);
    }

    /// <summary>Sends a request; a body is JSON text.</summary>
    public async Task<Answer> SendAsync(string method, string path, string? body = null, string contentType = "application/json")
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(Client.BaseAddress!.GetLeftPart(UriPartial.Authority) + path.Replace(" ", "%20", StringComparison.Ordinal), s_verbatim));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        }
        return await SendAsync(request);
    }

    public async Task<Answer> SendAsync(HttpRequestMessage request)
    {
        using HttpResponseMessage response = await Client.SendAsync(request);
        string text = await response.Content.ReadAsStringAsync();
        var headers = response.Headers.Concat(response.Content.Headers).ToDictionary(h => h.Key, h => string.Join(",", h.Value), StringComparer.OrdinalIgnoreCase);
        return new Answer((int)response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text), headers);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }
}

/// <summary>What came back.</summary>
public sealed record Answer(int Status, JsonNode? Body, IReadOnlyDictionary<string, string> Headers)
{
    public string? Code => (string?)Body?["error"]?["code"];

    public string? Message => (string?)Body?["error"]?["message"];

    public JsonArray Value => Body!["value"]!.AsArray();

    public string? Header(string name) => Headers.GetValueOrDefault(name);
}
