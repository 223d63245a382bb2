using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;

namespace Strongroom.Arm;

/// <summary>Who may do what: role assignments against the actions that endpoints name. Safe for concurrent use.</summary>
/// <remarks>
/// The caller's assignments are read at each request, by an index, from the database that the request is about to read anyway: what was
/// granted or taken away, here or by the command line beside the server, holds from the next request on. There is nothing to go stale.
/// </remarks>
/// <param name="store">Assignments that clients make.</param>
/// <param name="standing">Assignments that nobody can take away: the administrator's.</param>
public sealed class AccessControl(IRoleAssignmentStore store, IReadOnlyList<RoleAssignment> standing)
{
    /// <summary>Assignments that are not stored.</summary>
    public IReadOnlyList<RoleAssignment> Standing { get; } = standing;

    /// <summary>Forgets the assignments over what is deleted: a new resource of the same name is another one.</summary>
    public Task ForgetAsync(string scope, CancellationToken cancellationToken) => store.DeleteWithinAsync(scope, cancellationToken);

    /// <summary>What a caller may do now.</summary>
    public async Task<CallerAccess> OfAsync(Caller caller, CancellationToken cancellationToken) =>
        new(caller, Standing.Where(a => a.PrincipalId == caller.ObjectId).Concat(await store.ListAsync(caller.ObjectId, cancellationToken)));
}

/// <summary>Refuses a request over whose scope the caller lacks the endpoint's action, before anything is looked up.</summary>
/// <remarks>So that nobody learns what exists where they have no role: 403 comes before 404.</remarks>
internal sealed class Authorization(RequestDelegate next, AccessControl access, ArmOptions options)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint() is { } endpoint && endpoint.Metadata.GetMetadata<IAllowAnonymous>() is null)
        {
            // What the web server answers itself (405, 415) does nothing and names nothing.
            ArmAction? action = endpoint.Metadata.GetMetadata<ArmAction>();
            if (action is null && endpoint is Microsoft.AspNetCore.Routing.RouteEndpoint) throw new InvalidOperationException($"'{endpoint.DisplayName}' names no action.");
            if (action is not null) await CheckAsync(context, action);
        }
        await next(context);
    }

    private async Task CheckAsync(HttpContext context, ArmAction action)
    {
        Caller caller = Caller.Of(context) ?? throw new InvalidOperationException("An endpoint was reached by a caller without a token.");
        CallerAccess granted = await access.OfAsync(caller, context.RequestAborted);
        context.Features.Set(granted);
        if (action.Check == ActionCheck.Path && NamesOurs(context.Request.Path)) granted.Require(action.Name, RequestScope.Of(action.PathOf(context.Request.Path)));
        if (HttpMethods.IsDelete(context.Request.Method) && RequestScope.IsGroupOrResource(context.Request.Path)) context.Response.OnStarting(() => ForgetAsync(context));
    }

    private Task ForgetAsync(HttpContext context) =>
        context.Response.StatusCode < 300 ? access.ForgetAsync(RequestScope.Of(context.Request.Path), CancellationToken.None) : Task.CompletedTask;

    /// <summary>False where the subscription does not exist: nobody has a role there, and the answer is that it is not found.</summary>
    private bool NamesOurs(PathString path)
    {
        string[] parts = (path.Value ?? "").Split('/', 4, StringSplitOptions.RemoveEmptyEntries);
        return parts.Length < 2 || !parts[0].Equals("subscriptions", StringComparison.OrdinalIgnoreCase) || options.FindSubscription(parts[1]) is not null;
    }
}
