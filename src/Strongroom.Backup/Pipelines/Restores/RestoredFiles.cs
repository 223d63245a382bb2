using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Strongroom.Backup.RecoveryPoints;

namespace Strongroom.Backup.Pipelines.Restores;

/// <summary>The files beside the restored disks: the machine's configuration and a template that makes it again.</summary>
internal sealed class RestoredFiles(string endpoint, string account, RestoreNames names, RecoveryPoint point, ImmutableArray<RecoveryPointDisk> disks)
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

    /// <summary>An ARM template: the disks imported from their blobs, and the machine that has them.</summary>
    public JsonObject Template()
    {
        var machineDisks = disks.Select(d => (JsonNode)$"[resourceId('Microsoft.Compute/disks', '{DiskResourceName(d)}')]").ToArray();
        return new()
        {
            ["$schema"] = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            ["contentVersion"] = "1.0.0.0",
            ["parameters"] = new JsonObject
            {
                ["VirtualMachineName"] = new JsonObject { ["type"] = "string", ["defaultValue"] = point.Machine.Name + "-restored" },
                ["NetworkInterfaceId"] = new JsonObject { ["type"] = "string" },
            },
            ["resources"] = new JsonArray([.. disks.Select(DiskResource), MachineResource(machineDisks)]),
        };
    }

    /// <summary>The properties of the restored disk's own resource.</summary>
    public JsonObject DiskProperties(RecoveryPointDisk disk, DateTimeOffset now) => new()
    {
        ["osType"] = disk.Lun < 0 ? point.Machine.OsType : null,
        ["creationData"] = new JsonObject { ["createOption"] = "Import", ["sourceUri"] = Uri(names.Disk(disk)) },
        ["diskSizeGB"] = SizeGb(disk),
        ["diskSizeBytes"] = disk.SizeBytes,
        ["timeCreated"] = now.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
        ["provisioningState"] = "Succeeded",
        ["diskState"] = "Unattached",
        ["uniqueId"] = RestoreNames.DiskId(names.JobId, disk).ToString(),
    };

    private JsonObject Disk(RecoveryPointDisk disk) => new()
    {
        ["lun"] = disk.Lun < 0 ? null : disk.Lun,
        ["name"] = disk.Name,
        ["osType"] = disk.Lun < 0 ? point.Machine.OsType : null,
        ["diskSizeGB"] = SizeGb(disk),
        ["diskSizeBytes"] = disk.SizeBytes,
        ["createOption"] = "Attach",
        ["vhd"] = new JsonObject { ["uri"] = Uri(names.Disk(disk)) },
    };

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
        ["managedDisk"] = new JsonObject { ["id"] = $"[resourceId('Microsoft.Compute/disks', '{DiskResourceName(disk)}')]" },
    };

    private static long SizeGb(RecoveryPointDisk disk) => Math.Max(1, (disk.SizeBytes + (1L << 30) - 1) >> 30);
}
