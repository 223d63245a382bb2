using System.Runtime.InteropServices;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Native;

/// <summary>Lists that libvirt allocates for its caller.</summary>
internal static class NativeList
{
    /// <summary>Takes over each pointer of a list and frees the list.</summary>
    public static IReadOnlyList<T> Take<T>(nint list, int count, Func<nint, T> take)
    {
        try
        {
            var taken = new List<T>(count);
            for (var index = 0; index < count; index++) taken.Add(take(Marshal.ReadIntPtr(list, index * nint.Size)));
            return taken;
        }
        finally
        {
            LibvirtCalls.Free(list);
        }
    }
}
