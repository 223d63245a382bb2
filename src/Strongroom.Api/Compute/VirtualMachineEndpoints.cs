using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;
using Strongroom.Backup.Machines;

namespace Strongroom.Api.Compute;

/// <summary><c>Microsoft.Compute/virtualMachines</c>: the machines that hosts have, read-only. Nothing is stored; each answer is what the hosts say now.</summary>
public static class VirtualMachineEndpoints
{
    private const string OfGroup = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute/virtualMachines";

    public static void MapVirtualMachines(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/subscriptions/{subscriptionId}/providers/Microsoft.Compute/virtualMachines", ListAsync).WithListAction("Microsoft.Compute/virtualMachines/read");
        routes.MapGet(OfGroup, ListAsync).WithListAction("Microsoft.Compute/virtualMachines/read");
        routes.MapGet(OfGroup + "/{vmName}", GetAsync).WithAction("Microsoft.Compute/virtualMachines/read");
        routes.MapGet(OfGroup + "/{vmName}/instanceView", InstanceViewAsync).WithAction("Microsoft.Compute/virtualMachines/instanceView/read");
    }

    private static async Task<IResult> ListAsync(HttpContext context, IMachineFabric fabric, CancellationToken cancellationToken)
    {
        PageRequest page = Paging.Read(context.Request);
        ArmScope scope = ArmScope.Of(context);
        bool isExpanded = WantsInstanceView(context.Request);
        IReadOnlyList<VirtualMachine> machines = await fabric.ListAsync(scope.SubscriptionId, scope.Group?.Name, cancellationToken);
        return ArmResults.Page(context.Request, Paging.Take(context.WhereAllowed(machines, static m => m.ResourceId), static m => m.ResourceId, page), machine => VirtualMachineContract.ToJson(machine, isExpanded));
    }

    private static async Task<IResult> GetAsync(HttpContext context, string vmName, IMachineFabric fabric, CancellationToken cancellationToken)
    {
        bool isExpanded = WantsInstanceView(context.Request);
        return ArmResults.Ok(VirtualMachineContract.ToJson(await FindAsync(context, vmName, fabric, cancellationToken), isExpanded));
    }

    private static async Task<IResult> InstanceViewAsync(HttpContext context, string vmName, IMachineFabric fabric, CancellationToken cancellationToken) =>
        ArmResults.Ok(VirtualMachineContract.InstanceView(await FindAsync(context, vmName, fabric, cancellationToken)));

    private static async Task<VirtualMachine> FindAsync(HttpContext context, string vmName, IMachineFabric fabric, CancellationToken cancellationToken)
    {
        ArmScope scope = ArmScope.Of(context);
        try
        {
            return await fabric.FindAsync(scope.SubscriptionId, scope.GroupName, vmName, cancellationToken)
                ?? throw ArmErrors.ResourceNotFound(scope.ResourceId("Microsoft.Compute", "virtualMachines", vmName));
        }
        catch (MachineException problem)
        {
            throw ArmErrors.Custom(503, "HostUnreachable", problem.Message);
        }
    }

    private static bool WantsInstanceView(HttpRequest request) => request.Query["$expand"].ToString() switch
    {
        "" => false,
        { } word when word.Equals("instanceView", StringComparison.OrdinalIgnoreCase) => true,
        // There is nothing more to show of a machine than what its host knows.
        { } word when word.Equals("userData", StringComparison.OrdinalIgnoreCase) => false,
        { } word => throw ArmErrors.InvalidQueryParameter("$expand", $"'{word}' is none of instanceView, userData"),
    };
}
