using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;
using Strongroom.Backup.Machines;

namespace Strongroom.Api.Network;

/// <summary><c>Microsoft.Network/networkInterfaces</c>, read-only: what <c>az vm show -d</c> and <c>az vm nic</c> look for.</summary>
public static class NetworkInterfaceEndpoints
{
    private const string OfGroup = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Network/networkInterfaces";

    public static void MapNetworkInterfaces(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/subscriptions/{subscriptionId}/providers/Microsoft.Network/networkInterfaces", ListAsync).WithListAction("Microsoft.Network/networkInterfaces/read");
        routes.MapGet(OfGroup, ListAsync).WithListAction("Microsoft.Network/networkInterfaces/read");
        routes.MapGet(OfGroup + "/{networkInterfaceName}", GetAsync).WithAction("Microsoft.Network/networkInterfaces/read");
    }

    private static async Task<IResult> ListAsync(HttpContext context, IMachineFabric fabric, CancellationToken cancellationToken)
    {
        PageRequest page = Paging.Read(context.Request);
        ArmScope scope = ArmScope.Of(context);
        IReadOnlyList<VirtualMachine> machines = await fabric.ListAsync(scope.SubscriptionId, scope.Group?.Name, cancellationToken);
        NetworkInterface[] all = [.. machines.SelectMany(NetworkInterfaces.Of)];
        return ArmResults.Page(context.Request, Paging.Take(context.WhereAllowed(all, static n => n.Id.ToString()), static n => n.Id.ToString(), page), static n => n.ToJson());
    }

    private static async Task<IResult> GetAsync(HttpContext context, string networkInterfaceName, IMachineFabric fabric, CancellationToken cancellationToken)
    {
        ArmScope scope = ArmScope.Of(context);
        ResourceId id = scope.ResourceId("Microsoft.Network", "networkInterfaces", networkInterfaceName);
        int end = networkInterfaceName.LastIndexOf("-nic", StringComparison.OrdinalIgnoreCase);
        VirtualMachine? machine = end < 1 ? null : await fabric.FindAsync(scope.SubscriptionId, scope.GroupName, networkInterfaceName[..end], cancellationToken);
        NetworkInterface? found = machine is null ? null : NetworkInterfaces.Of(machine).FirstOrDefault(n => n.Id.Name.Equals(networkInterfaceName, StringComparison.OrdinalIgnoreCase));
        return ArmResults.Ok((found ?? throw ArmErrors.ResourceNotFound(id)).ToJson());
    }
}
