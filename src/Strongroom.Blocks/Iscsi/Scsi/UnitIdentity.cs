using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Strongroom.Blocks.Iscsi.Scsi;

/// <summary>Who a logical unit is: names that no other unit has.</summary>
/// <param name="TargetName">The target's name.</param>
/// <param name="Serial">The serial number.</param>
/// <param name="Luns">All logical units of the target.</param>
internal sealed record UnitIdentity(string TargetName, string Serial, IReadOnlyList<byte> Luns)
{
    /// <summary>Left-aligned, 8 characters.</summary>
    public const string Vendor = "STRONGRM";

    public const string Product = "Recovery Disk   ";

    public const string Revision = "1.0 ";

    /// <summary>A locally assigned NAA name (SPC-4, 7.8.6.6.5): 3 and 60 bits of the serial number's digest.</summary>
    public byte[] LocalName
    {
        get
        {
            var name = SHA256.HashData(Encoding.ASCII.GetBytes(Serial))[..8];
            name[0] = (byte)(0x30 | (name[0] & 0x0f));
            return name;
        }
    }

    /// <summary>The target port's name (RFC 7143, 4.4.6.1).</summary>
    public string PortName => $"{TargetName},t,0x0001";

    /// <summary>Of a unit whose changes only one initiator port sees: it is another unit than that of every other port.</summary>
    public static string SerialFor(string serial, Nexus nexus)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{nexus.InitiatorName},{nexus.Isid:x12}"), digest);
        return $"{serial}.{BinaryPrimitives.ReadUInt32BigEndian(digest):x8}";
    }
}
