using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Strongroom.Arm;

/// <summary>Answers of handlers. Each can be returned from a minimal API; none uses reflection.</summary>
public static class ArmResults
{
    public static IResult Ok(JsonNode body) => new NodeResult(StatusCodes.Status200OK, body);

    public static IResult Created(JsonNode body) => new NodeResult(StatusCodes.Status201Created, body);

    /// <summary>An answer without a body: 200, 202 or 204.</summary>
    public static IResult Empty(int status) => new EmptyResult(status);

    /// <summary>A page: <c>{"value":[...],"nextLink":...}</c>; the link is absent on the last page.</summary>
    public static IResult Page<T>(HttpRequest request, Page<T> page, Func<T, JsonNode> toJson)
    {
        var body = new JsonObject { ["value"] = new JsonArray([.. page.Items.Select(toJson)]) };
        if (Paging.NextLink(request, page.NextAfter) is { } link) body["nextLink"] = link;
        return Ok(body);
    }

    /// <summary>A whole list, never paged.</summary>
    public static IResult List(IEnumerable<JsonNode> items) => Ok(new JsonObject { ["value"] = new JsonArray([.. items]) });

    private sealed class NodeResult(int status, JsonNode body) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = status;
            return ArmJson.WriteAsync(httpContext.Response, body, httpContext.RequestAborted);
        }
    }

    private sealed class EmptyResult(int status) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = status;
            if (status != StatusCodes.Status204NoContent) httpContext.Response.ContentLength = 0;
            return Task.CompletedTask;
        }
    }
}
