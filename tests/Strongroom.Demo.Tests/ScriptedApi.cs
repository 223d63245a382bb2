using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Strongroom.Demo.Tests;

/// <summary>A server on a free port that answers as a test says, and remembers what it was asked.</summary>
internal sealed class ScriptedApi : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly List<string> requests = [];

    private ScriptedApi(WebApplication app) => this.app = app;

    public Uri Endpoint => new(app.Urls.First() + "/");

    /// <summary>Method, path and query of each request, in order.</summary>
    public IReadOnlyList<string> Requests
    {
        get
        {
            lock (requests)
                return [.. requests];
        }
    }

    public static async Task<ScriptedApi> StartAsync(RequestDelegate answer, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        if (configure is null)
            builder.WebHost.UseUrls("http://127.0.0.1:0");
        else
            configure(builder);
        var app = builder.Build();
        var api = new ScriptedApi(app);
        app.Run(context =>
        {
            lock (api.requests)
                api.requests.Add($"{context.Request.Method} {context.Request.Path}{context.Request.QueryString}");
            return answer(context);
        });
        await app.StartAsync();
        return api;
    }

    public static Task JsonAsync(HttpContext context, int status, string json)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json; charset=utf-8";
        return context.Response.WriteAsync(json.Replace('\'', '"'));
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();
}
