using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Strongroom.Arm;
using Strongroom.Backup.Machines;
using Strongroom.Backup.RecoveryPoints;

namespace Strongroom.Backup.Pipelines.Restores;

/// <summary>The files beside the restored disks: the machine's configuration and a template that makes it again.</summary>
/// <param name="hostGroup">The disks are a host's, and resources of this group; null: they are blobs.</param>
internal sealed class RestoredFiles(string endpoint, string account, RestoreNames names, RecoveryPoint point, ImmutableArray<RecoveryPointDisk> disks, ResourceGroup? hostGroup = null)
{
    public static JsonSerializerOptions Indented { get; } = new() { WriteIndented = true, TypeInfoResolver = JsonTypeInfoResolver.Combine() };

    /// <summary>Where a blob of this restore can be downloaded.</summary>
    public string Uri(string blob) => $"{endpoint}/storage/{account}/{names.Container}/{blob}";

    /// <summary>Unlike its blob, a disk's resource must not meet that of another restore of the same point.</summary>
    public string DiskResourceName(RecoveryPointDisk disk) => names.DiskStem(disk) + "-" + names.JobId.ToString("N")[..8];

    /// <summary>The machine as it was, with where each disk is now.</summary>
    public JsonObject Config(string sourceResourceId) => new()
    {
        ["id"] = sourceResourceId,
        ["name"] = point.Machine.Name,
        ["type"] = "Microsoft.Compute/virtualMachines",
        ["location"] = point.Machine.Location,
        ["tags"] = new JsonObject(point.Machine.Tags.Select(t => KeyValuePair.Create(t.Key, (JsonNode?)t.Value))),
        ["recoveryPointTime"] = point.Time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
        ["properties"] = new JsonObject
        {
            ["vmId"] = point.Machine.VmId.ToString(),
            ["hardwareProfile"] = new JsonObject { ["vmSize"] = point.Machine.Size },
            ["storageProfile"] = new JsonObject
            {
                ["osDisk"] = disks.FirstOrDefault(d => d.Lun < 0) is { } os ? Disk(os) : null,
                ["dataDisks"] = new JsonArray([.. disks.Where(d => d.Lun >= 0).Select(Disk)]),
            },
            ["osProfile"] = new JsonObject { ["computerName"] = point.Machine.Name },
        },
    };

    /// <summary>The id of a disk's resource in the target group.</summary>
    public ResourceId DiskId(ResourceGroup target, RecoveryPointDisk disk) => ResourceId.ForResource(target.SubscriptionId, target.Name, "Microsoft.Compute", "disks", DiskResourceName(disk));

    /// <summary>Whether a resource is a disk that this job has made.</summary>
    public bool IsDisk(TrackedResource resource, RecoveryPointDisk disk) => (string?)resource.Properties["uniqueId"] == RestoreNames.DiskId(names.JobId, disk).ToString();

    /// <summary>An ARM template: the disks imported from their blobs, unless a host has them already, and the machine that has them.</summary>
    public JsonObject Template()
    {
        var machineDisks = hostGroup is null ? disks.Select(d => (JsonNode)ManagedDiskId(d)).ToArray() : [];
        return new()
        {
            ["$schema"] = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            ["contentVersion"] = "1.0.0.0",
            ["parameters"] = new JsonObject
            {
                ["VirtualMachineName"] = new JsonObject { ["type"] = "string", ["defaultValue"] = point.Machine.Name + "-restored" },
                ["NetworkInterfaceId"] = new JsonObject { ["type"] = "string" },
            },
            ["resources"] = new JsonArray([.. hostGroup is null ? disks.Select(DiskResource) : [], MachineResource(machineDisks)]),
        };
    }

    /// <summary>The properties of the own resource of a restored disk that is a blob.</summary>
    public JsonObject DiskProperties(RecoveryPointDisk disk, DateTimeOffset now) =>
        DiskProperties(disk, new JsonObject { ["createOption"] = "Import", ["sourceUri"] = Uri(names.Disk(disk)) }, now);

    /// <summary>The properties of the own resource of a restored disk that is a host's.</summary>
    public JsonObject DiskProperties(RecoveryPointDisk disk, HostVolume volume, DateTimeOffset now)
    {
        var properties = DiskProperties(disk, new JsonObject { ["createOption"] = "Restore" }, now);
        volume.Write(properties);
        return properties;
    }

    private JsonObject DiskProperties(RecoveryPointDisk disk, JsonObject creationData, DateTimeOffset now) => new()
    {
        ["osType"] = disk.Lun < 0 ? point.Machine.OsType : null,
        ["creationData"] = creationData,
        ["diskSizeGB"] = SizeGb(disk),
        ["diskSizeBytes"] = disk.SizeBytes,
        ["timeCreated"] = now.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
        ["provisioningState"] = "Succeeded",
        ["diskState"] = "Unattached",
        ["uniqueId"] = RestoreNames.DiskId(names.JobId, disk).ToString(),
    };

    private JsonObject Disk(RecoveryPointDisk disk)
    {
        var json = new JsonObject
        {
            ["lun"] = disk.Lun < 0 ? null : disk.Lun,
            ["name"] = disk.Name,
            ["osType"] = disk.Lun < 0 ? point.Machine.OsType : null,
            ["diskSizeGB"] = SizeGb(disk),
            ["diskSizeBytes"] = disk.SizeBytes,
            ["createOption"] = "Attach",
        };
        if (hostGroup is null) json["vhd"] = new JsonObject { ["uri"] = Uri(names.Disk(disk)) };
        else json["managedDisk"] = new JsonObject { ["id"] = ManagedDiskId(disk) };
        return json;
    }

    private JsonObject DiskResource(RecoveryPointDisk disk) => new()
    {
        ["type"] = "Microsoft.Compute/disks",
        ["apiVersion"] = "2022-07-02",
        ["name"] = DiskResourceName(disk),
        ["location"] = "[resourceGroup().location]",
        ["sku"] = new JsonObject { ["name"] = "Standard_LRS" },
        ["properties"] = new JsonObject
        {
            ["osType"] = disk.Lun < 0 ? point.Machine.OsType : null,
            ["creationData"] = new JsonObject { ["createOption"] = "Import", ["sourceUri"] = Uri(names.Disk(disk)) },
            ["diskSizeGB"] = SizeGb(disk),
        },
    };

    private JsonObject MachineResource(JsonNode[] dependsOn) => new()
    {
        ["type"] = "Microsoft.Compute/virtualMachines",
        ["apiVersion"] = "2022-08-01",
        ["name"] = "[parameters('VirtualMachineName')]",
        ["location"] = "[resourceGroup().location]",
        ["dependsOn"] = new JsonArray(dependsOn),
        ["properties"] = new JsonObject
        {
            ["hardwareProfile"] = new JsonObject { ["vmSize"] = point.Machine.Size },
            ["storageProfile"] = new JsonObject
            {
                ["osDisk"] = disks.FirstOrDefault(d => d.Lun < 0) is { } os ? Attach(os) : null,
                ["dataDisks"] = new JsonArray([.. disks.Where(d => d.Lun >= 0).Select(Attach)]),
            },
            ["networkProfile"] = new JsonObject { ["networkInterfaces"] = new JsonArray(new JsonObject { ["id"] = "[parameters('NetworkInterfaceId')]" }) },
        },
    };

    private JsonObject Attach(RecoveryPointDisk disk) => new()
    {
        ["lun"] = disk.Lun < 0 ? null : disk.Lun,
        ["osType"] = disk.Lun < 0 ? point.Machine.OsType : null,
        ["createOption"] = "Attach",
        ["managedDisk"] = new JsonObject { ["id"] = ManagedDiskId(disk) },
    };

    /// <summary>As a template names a disk: one that it makes itself is in whatever group it is deployed to.</summary>
    private string ManagedDiskId(RecoveryPointDisk disk) =>
        hostGroup is null ? $"[resourceId('Microsoft.Compute/disks', '{DiskResourceName(disk)}')]" : DiskId(hostGroup, disk).ToString();

    private static long SizeGb(RecoveryPointDisk disk) => Math.Max(1, (disk.SizeBytes + (1L << 30) - 1) >> 30);
}
