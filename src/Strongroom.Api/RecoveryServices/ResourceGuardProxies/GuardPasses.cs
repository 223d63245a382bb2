using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Api.DataProtection;
using Strongroom.Arm;
using Strongroom.Backup.ResourceGuards;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.ResourceGuardProxies;

/// <summary>What a request brings past the resource guard of its vault.</summary>
internal static class GuardPasses
{
    public const string Field = "resourceGuardOperationRequests";

    /// <param name="body">What has the guard's requests among its members; null where a request has no body.</param>
    /// <exception cref="ArmException">400: the requests are not a list of texts.</exception>
    public static async Task<GuardPass> GuardPassAsync(this HttpContext context, Vault vault, JsonObject? body = null)
    {
        TrackedResource? guard = await GuardAsync(context, vault);
        return new()
        {
            Requests = body is null ? [] : Requests(body),
            ResourceGuardId = guard?.Id.ToString(),
            Exclusions = guard is null ? FrozenSet<string>.Empty : ResourceGuards.Exclusions(guard),
            RequireRight = (operation, request) => context.RequireLinked(ActionOf(operation), request),
            Now = context.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow(),
        };
    }

    /// <summary>The guard that a vault is under; null when it is under none, or when the guard is gone.</summary>
    public static async Task<TrackedResource?> GuardAsync(HttpContext context, Vault vault) =>
        vault.Guard is { } guard ? await context.RequestServices.GetRequiredService<ResourceGuards>().FindAsync(ResourceId.Parse(guard.ResourceGuardId), context.RequestAborted) : null;

    /// <summary>The ids that a body names.</summary>
    public static IReadOnlyList<string> Requests(JsonObject body) =>
    [
        .. (body.OptionalArray(Field) ?? []).Select(entry => entry is JsonValue value && value.TryGetValue(out string? id)
            ? id
            : throw ArmErrors.InvalidRequestContent("a list of ids is expected", $"{body.GetPath()}.{Field}")),
    ];

    /// <summary>What the published role Backup MUA Operator grants over a guard, and Reader does not.</summary>
    public static string ActionOf(CriticalOperation operation) => $"{ResourceGuards.Type}/{operation.RequestType}/action";
}
