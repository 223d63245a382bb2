using Microsoft.AspNetCore.Http;

namespace Strongroom.Arm;

/// <summary>The subscription and the group that the path of a request names, both of which exist, in their canonical spelling.</summary>
public sealed record ArmScope(ArmSubscription Subscription, ResourceGroup? Group)
{
    /// <summary>The canonical subscription id.</summary>
    public string SubscriptionId => Subscription.Id;

    /// <summary>The group's name as it was made. Only on paths inside a group.</summary>
    /// <exception cref="InvalidOperationException">The path is not inside a group.</exception>
    public string GroupName => Group?.Name ?? throw new InvalidOperationException("This path does not name a resource group.");

    /// <summary>The id of a resource of this scope's group.</summary>
    public ResourceId ResourceId(string providerNamespace, string type, string name) =>
        Arm.ResourceId.ForResource(SubscriptionId, GroupName, providerNamespace, type, name);

    /// <summary>The scope of this request.</summary>
    /// <exception cref="InvalidOperationException">The path does not begin with a subscription.</exception>
    public static ArmScope Of(HttpContext context) =>
        context.Features.Get<ArmScope>() ?? throw new InvalidOperationException("This path does not name a subscription.");
}

/// <summary>Answers 404 for anything in a subscription or a group that does not exist, before a handler sees it.</summary>
/// <remarks><c>/subscriptions/{s}/resourceGroups/{rg}</c> itself passes: its handlers make the group.</remarks>
internal sealed class ScopeResolution(RequestDelegate next, ArmOptions options, IResourceStore store)
{
    public async Task InvokeAsync(HttpContext context)
    {
        string[] parts = (context.Request.Path.Value ?? "").Split('/', 6, StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length >= 2 && parts[0].Equals("subscriptions", StringComparison.OrdinalIgnoreCase))
        {
            if (!Guid.TryParseExact(parts[1], "D", out _)) throw ArmErrors.InvalidSubscriptionId(parts[1]);
            ArmSubscription subscription = options.FindSubscription(parts[1]) ?? throw ArmErrors.SubscriptionNotFound(parts[1]);
            ResourceGroup? group = null;
            if (parts.Length >= 5 && parts[2].Equals("resourceGroups", StringComparison.OrdinalIgnoreCase))
            {
                group = await store.GetGroupAsync(subscription.Id, parts[3], context.RequestAborted) ?? throw ArmErrors.ResourceGroupNotFound(parts[3]);
            }
            context.Features.Set(new ArmScope(subscription, group));
        }
        await next(context);
    }
}
