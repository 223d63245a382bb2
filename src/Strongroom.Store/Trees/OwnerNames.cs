using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Strongroom.Store.Trees;

/// <summary>Names of users and groups as this machine knows them, each asked for once. Thread-safe.</summary>
internal sealed class OwnerNames
{
    private const int RecordWords = 8;
    private const int BufferLengthBytes = 64 << 10;
    private const int GreatestNameLengthBytes = 255;
    private readonly ConcurrentDictionary<uint, string> users = [];
    private readonly ConcurrentDictionary<uint, string> groups = [];

    /// <summary>Empty when it has no name.</summary>
    public string OfUser(uint id) => users.GetOrAdd(id, static id => Find(id, LinuxCalls.FindUser));

    /// <summary>Empty when it has no name.</summary>
    public string OfGroup(uint id) => groups.GetOrAdd(id, static id => Find(id, LinuxCalls.FindGroup));

    private delegate int FindCall(uint id, Span<nint> record, Span<byte> buffer, nint lengthBytes, out nint result);

    private static string Find(uint id, FindCall find)
    {
        // The strings lie in the buffer, so it must not move before they are copied.
        var buffer = GC.AllocateArray<byte>(BufferLengthBytes, pinned: true);
        Span<nint> record = stackalloc nint[RecordWords];
        if (find(id, record, buffer, buffer.Length, out var result) != 0 || result == 0)
            return "";

        // The name is the first field of both records.
        var name = Marshal.PtrToStringUTF8(record[0]) ?? "";
        return System.Text.Encoding.UTF8.GetByteCount(name) <= GreatestNameLengthBytes ? name : "";
    }
}
