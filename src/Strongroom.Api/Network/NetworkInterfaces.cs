using System.Text.Json.Nodes;
using Strongroom.Api.Resources;
using Strongroom.Arm;
using Strongroom.Backup.Machines;

namespace Strongroom.Api.Network;

/// <summary>
/// <c>Microsoft.Network/networkInterfaces</c>: the network interfaces that machines have on their hosts, named after the machine with <c>-nic0</c>, <c>-nic1</c> and so on.
/// Nothing is stored; they cannot be written.
/// </summary>
internal static class NetworkInterfaces
{
    public const string Type = "Microsoft.Network/networkInterfaces";

    /// <summary>The interfaces of a machine as its <c>networkProfile</c> refers to them; the first is the primary one.</summary>
    public static JsonArray References(VirtualMachine machine) => [.. Of(machine).Select(static n => new JsonObject
    {
        ["id"] = n.Id.ToString(),
        ["properties"] = new JsonObject { ["primary"] = n.Index == 0 },
    })];

    /// <summary>The interfaces of a machine.</summary>
    public static IEnumerable<NetworkInterface> Of(VirtualMachine machine) => machine.Networks.Select((network, index) => new NetworkInterface(machine, network, index));
}

/// <summary>A machine's interface.</summary>
/// <param name="Index">From 0.</param>
internal sealed record NetworkInterface(VirtualMachine Machine, MachineNetwork Network, int Index)
{
    public ResourceId Id => ResourceId.ForResource(Machine.SubscriptionId, Machine.ResourceGroup, "Microsoft.Network", "networkInterfaces", $"{Machine.Name}-nic{Index}");

    /// <summary>As api-versions 2019-11-01 to 2024-05-01 show it. Addresses are the guest's own affair: its host does not know them.</summary>
    public JsonObject ToJson()
    {
        JsonObject json = TrackedResources.Frame(Id, Machine.Location, ResourceTags.None);
        json["properties"] = new JsonObject
        {
            ["provisioningState"] = "Succeeded",
            ["ipConfigurations"] = new JsonArray(),
            // Azure writes 00-0D-3A-1B-C7-21 where hosts write 00:0d:3a:1b:c7:21.
            ["macAddress"] = Network.MacAddress.Replace(':', '-').ToUpperInvariant(),
            ["primary"] = Index == 0,
            ["virtualMachine"] = new JsonObject { ["id"] = Machine.ResourceId },
            ["nicType"] = "Standard",
        };
        return json;
    }
}
