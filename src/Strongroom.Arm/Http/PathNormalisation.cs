using System.Text;
using Microsoft.AspNetCore.Http;

namespace Strongroom.Arm;

/// <summary>Brings the path into the form that routes match: single slashes, none at the end.</summary>
/// <remarks>az really sends <c>storageAccounts//name</c> and <c>backupProtectedItems/</c>.</remarks>
internal static class PathNormalisation
{
    public static Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        HttpRequest request = context.Request;
        if (!ArmPipeline.IsArmPath(new PathString(Collapse(request.Path.Value)))) return next(context);
        request.Path = new PathString(Collapse(request.Path.Value));
        request.QueryString = new QueryString(RepairQuery(request.QueryString.Value));
        foreach (string segment in request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            // Handlers build ids of these words, and an id refuses what cannot stand in one.
            if (!ResourceNames.IsSegment(segment)) throw ArmErrors.InvalidRequestUri(segment);
        }
        return next(context);
    }

    internal static string Collapse(string? path)
    {
        if (string.IsNullOrEmpty(path)) return "/";
        var result = new StringBuilder(path.Length);
        foreach (char c in path)
        {
            if (c != '/' || result.Length == 0 || result[^1] != '/') result.Append(c);
        }
        if (result.Length > 1 && result[^1] == '/') result.Length--;
        return result.ToString();
    }

    /// <summary>The service has handed out URLs with two question marks (<c>?fabricName=Azure?api-version=...</c>); clients repeat them verbatim.</summary>
    internal static string? RepairQuery(string? query) =>
        query is { Length: > 1 } ? query[0] + query[1..].Replace("?api-version=", "&api-version=", StringComparison.OrdinalIgnoreCase) : query;
}
