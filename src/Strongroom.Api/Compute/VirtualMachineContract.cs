using System.Text.Json.Nodes;
using Strongroom.Api.Network;
using Strongroom.Api.Resources;
using Strongroom.Arm;
using Strongroom.Backup.Machines;

namespace Strongroom.Api.Compute;

/// <summary>A machine as api-versions 2022-08-01 to 2024-11-01 of Microsoft.Compute show it.</summary>
internal static class VirtualMachineContract
{
    private const long GibibyteBytes = 1L << 30;

    public static JsonObject ToJson(VirtualMachine machine, bool withInstanceView)
    {
        ResourceId id = ResourceId.ForResource(machine.SubscriptionId, machine.ResourceGroup, "Microsoft.Compute", "virtualMachines", machine.Name);
        JsonObject json = TrackedResources.Frame(id, machine.Location, machine.Tags);
        // The machine is not ours to change: it belongs to its host.
        json["managedBy"] = machine.HostId;
        json["properties"] = new JsonObject
        {
            ["vmId"] = machine.VmId.ToString(),
            ["hardwareProfile"] = new JsonObject { ["vmSize"] = machine.Size },
            ["storageProfile"] = StorageProfile(machine),
            ["osProfile"] = new JsonObject { ["computerName"] = machine.Name },
            ["networkProfile"] = new JsonObject { ["networkInterfaces"] = NetworkInterfaces.References(machine) },
            ["provisioningState"] = "Succeeded",
        };
        if (withInstanceView) json["properties"]!["instanceView"] = InstanceView(machine);
        return json;
    }

    /// <summary>What is known of the machine now. A folder of disks tells no power state, so none is claimed.</summary>
    public static JsonObject InstanceView(VirtualMachine machine)
    {
        var statuses = new JsonArray(new JsonObject { ["code"] = "ProvisioningState/succeeded", ["level"] = "Info", ["displayStatus"] = "Provisioning succeeded" });
        if (machine.PowerState is { } power) statuses.Add(new JsonObject { ["code"] = "PowerState/" + power, ["level"] = "Info", ["displayStatus"] = "VM " + power });
        if (machine.Problem is { } problem)
        {
            statuses.Add(new JsonObject { ["code"] = "ProtectionState/blocked", ["level"] = "Warning", ["displayStatus"] = "Cannot be backed up", ["message"] = problem });
        }
        return new JsonObject
        {
            ["computerName"] = machine.Name,
            ["osName"] = machine.OsType,
            ["disks"] = new JsonArray([.. machine.Disks.Select(static disk => new JsonObject { ["name"] = disk.Name })]),
            ["statuses"] = statuses,
        };
    }

    private static JsonObject StorageProfile(VirtualMachine machine)
    {
        var profile = new JsonObject();
        if (machine.Disks.FirstOrDefault(static disk => disk.IsOs) is { } osDisk)
        {
            JsonObject json = Disk(osDisk);
            json.Insert(0, "osType", machine.OsType);
            profile["osDisk"] = json;
        }
        profile["dataDisks"] = new JsonArray([.. machine.Disks.Where(static disk => !disk.IsOs).Select(static disk =>
        {
            JsonObject json = Disk(disk);
            json.Insert(0, "lun", disk.Lun);
            return json;
        })]);
        return profile;
    }

    // Azure counts disks in whole GiB; a smaller or odd one takes the next.
    private static JsonObject Disk(MachineDisk disk) => new()
    {
        ["name"] = disk.Name,
        ["createOption"] = "Attach",
        ["caching"] = "None",
        ["diskSizeGB"] = (disk.SizeBytes + GibibyteBytes - 1) / GibibyteBytes,
    };
}
