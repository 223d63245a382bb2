using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Arm;
using Strongroom.Backup;
using Strongroom.Backup.FileShares;
using Strongroom.Backup.Items;
using Strongroom.Backup.Machines;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices;

/// <summary>What every operation on a vault begins with: the vault in the path, which exists.</summary>
internal static class VaultRequest
{
    public const string Path = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{vaultName}";
    public const string ContainerPath = "/backupFabrics/{fabricName}/protectionContainers/{containerName}";
    public const string ItemPath = ContainerPath + "/protectedItems/{protectedItemName}";

    /// <summary>Operations below a vault. Refusals of the domain leave in Azure's shape.</summary>
    public static RouteGroupBuilder MapVault(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup(Path);
        group.AddEndpointFilter(RefuseAsync);
        return group;
    }

    public static async ValueTask<object?> RefuseAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            if (context.HttpContext.Request.RouteValues["fabricName"] is string fabric && !fabric.Equals("Azure", StringComparison.OrdinalIgnoreCase))
                throw RecoveryServicesErrors.InvalidFabric(fabric);
            return await next(context);
        }
        catch (BackupRefusedException refused)
        {
            throw RecoveryServicesErrors.From(refused);
        }
        catch (MachineException problem)
        {
            throw RecoveryServicesErrors.From(problem);
        }
        catch (ShareException problem)
        {
            throw RecoveryServicesErrors.From(problem);
        }
    }

    /// <summary>The vault that the path names.</summary>
    /// <exception cref="ArmException">404: it does not exist.</exception>
    public static async Task<Vault> VaultAsync(this HttpContext context)
    {
        var scope = ArmScope.Of(context);
        var name = Route(context, "vaultName");
        var vaults = context.RequestServices.GetRequiredService<IVaultRepository>();
        return await vaults.FindAsync(scope.SubscriptionId, scope.GroupName, name, context.RequestAborted) ?? throw NotFound(scope, name);
    }

    /// <summary>The native name that container and item in the path stand for.</summary>
    /// <exception cref="ArmException">404: they are not names of a container and an item of a kind that is here, or do not belong together.</exception>
    public static string NativeName(this HttpContext context)
    {
        var container = Route(context, "containerName");
        var item = Route(context, "protectedItemName");
        if (ItemNames.FromContainer(container) is null) throw RecoveryServicesErrors.ContainerNotFound(container);
        return ItemNames.FromPath(container, item) ?? throw RecoveryServicesErrors.ItemNotFound($"'{(item.Length > 120 ? item[..120] : item)}' is not an item of that container.");
    }

    /// <summary>The item that the path names.</summary>
    public static async Task<ProtectedItem> ItemAsync(this HttpContext context, Vault vault)
    {
        var native = context.NativeName();
        var items = context.RequestServices.GetRequiredService<IItemRepository>();
        return await items.FindAsync(vault.Key, native, context.RequestAborted)
            ?? throw RecoveryServicesErrors.ItemNotFound($"'{native}' is not protected in vault '{vault.Name}'.");
    }

    /// <summary>A list of what this service has none of; the request is checked all the same.</summary>
    public static async Task<IResult> NoneAsync(this HttpContext context, params string[] filterKeys)
    {
        await context.VaultAsync();
        ODataFilter.Parse(context.Request.Query["$filter"]).OnlyKeys(filterKeys);
        Paging.Read(context.Request);
        return ArmResults.List([]);
    }

    public static string Route(this HttpContext context, string name) => (string)context.Request.RouteValues[name]!;

    public static ArmException NotFound(ArmScope scope, string name) => ResourceNames.IsSegment(name)
        ? ArmErrors.ResourceNotFound(scope.ResourceId("Microsoft.RecoveryServices", "vaults", name))
        : ArmErrors.InvalidRequestUri(name);
}
