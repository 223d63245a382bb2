using System.Security.Cryptography;
using System.Text;

namespace Strongroom.Workloads.VirtualMachines.Folder;

/// <summary>Ids of machines that are named by folders.</summary>
internal static class MachineNames
{
    /// <summary>The id of a machine that has none written down: always the same for a folder of a host (a version 8 UUID, RFC 9562 section 5.8, over a SHA-256).</summary>
    public static Guid DeriveId(string hostId, string folderName)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{hostId.ToLowerInvariant()}\n{folderName}"));
        hash[6] = (byte)((hash[6] & 0x0F) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash.AsSpan(0, 16), bigEndian: true);
    }
}
