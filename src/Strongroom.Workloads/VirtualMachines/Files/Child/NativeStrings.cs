using System.Runtime.InteropServices;

namespace Strongroom.Workloads.VirtualMachines.Files.Child;

/// <summary>Strings as C takes them: each ends with a zero, and their list with a null.</summary>
internal sealed class NativeStrings : IDisposable
{
    private readonly nint[] _strings;

    public NativeStrings(IReadOnlyList<byte[]> strings)
    {
        _strings = [.. strings.Select(Allocate)];
        Pointer = Marshal.AllocHGlobal((_strings.Length + 1) * nint.Size);
        Marshal.Copy(_strings, 0, Pointer, _strings.Length);
        Marshal.WriteIntPtr(Pointer, _strings.Length * nint.Size, 0);
    }

    /// <summary>The list.</summary>
    public nint Pointer { get; }

    public nint this[int index] => _strings[index];

    public void Dispose()
    {
        foreach (var text in _strings) Marshal.FreeHGlobal(text);
        Marshal.FreeHGlobal(Pointer);
    }

    private static nint Allocate(byte[] text)
    {
        var memory = Marshal.AllocHGlobal(text.Length + 1);
        Marshal.Copy(text, 0, memory, text.Length);
        Marshal.WriteByte(memory, text.Length, 0);
        return memory;
    }
}
