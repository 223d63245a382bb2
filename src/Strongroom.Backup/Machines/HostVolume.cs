using System.Text.Json.Nodes;
using Strongroom.Arm;

namespace Strongroom.Backup.Machines;

/// <summary>
/// A volume of a host's storage pool that is a restored disk: <c>properties.hostVolume</c> of its <c>Microsoft.Compute/disks</c> resource (docs/libvirt-hosts.md). While that is
/// stored, no clean-up of restores removes the volume.
/// </summary>
/// <param name="HostId">ARM id of the host.</param>
/// <param name="Pool">The pool's name.</param>
/// <param name="Name">The volume's name in the pool.</param>
/// <param name="Path">Of its file or device on the host.</param>
/// <param name="Format"><c>qcow2</c> or <c>raw</c>.</param>
public sealed record HostVolume(string HostId, string Pool, string Name, string Path, string Format)
{
    /// <summary>The type of the resources that disks are.</summary>
    public const string ResourceType = "Microsoft.Compute/disks";

    private const string Member = "hostVolume";

    /// <summary>What a disk's resource says, or null where the disk is none of a host's.</summary>
    public static HostVolume? Find(TrackedResource disk) => disk.Properties[Member] is JsonObject volume
        ? new((string)volume["hostId"]!, (string)volume["pool"]!, (string)volume["name"]!, (string)volume["path"]!, (string)volume["format"]!)
        : null;

    /// <summary>Puts it into the properties of a disk's resource.</summary>
    public void Write(JsonObject properties) => properties[Member] = new JsonObject
    {
        ["hostId"] = HostId,
        ["pool"] = Pool,
        ["name"] = Name,
        ["path"] = Path,
        ["format"] = Format,
    };
}
