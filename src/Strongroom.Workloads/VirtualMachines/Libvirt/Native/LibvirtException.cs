using System.Runtime.InteropServices;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Native;

/// <summary>What libvirt said of a call that failed (<c>virErrorNumber</c>, virterror.h).</summary>
internal sealed class LibvirtException(int code, string message, int area = 0) : Exception(message)
{
    public const int InternalError = 1, NoSupport = 3, NoDomain = 42, NoStoragePool = 49, NoStorageVolume = 50, OperationInvalid = 55, OperationTimeout = 68, NoDomainBackup = 104, CheckpointInconsistent = 109;

    /// <summary>libvirt's number for it.</summary>
    public int Code { get; } = code;

    /// <summary>The connection itself is of no use any more, or never was: it comes from RPC (<c>VIR_FROM_RPC</c>), or is about connecting or authentication.</summary>
    public bool IsOfConnection => area == 7 || Code is 5 or 6 or 39 or 45 or 79 or 94;

    /// <summary>Passes on what is not negative.</summary>
    /// <exception cref="LibvirtException">The result says that the call failed.</exception>
    public static int Check(int result) => result >= 0 ? result : throw Last();

    /// <exception cref="LibvirtException">The call that made the handle failed.</exception>
    public static T Check<T>(T handle) where T : LibvirtHandle
    {
        if (!handle.IsInvalid) return handle;
        var error = Last();
        handle.Dispose();
        throw error;
    }

    /// <summary>The text at a pointer that is the caller's to free.</summary>
    /// <exception cref="LibvirtException">The call that made it failed.</exception>
    public static string TakeText(nint text)
    {
        if (text == 0) throw Last();
        try
        {
            return Marshal.PtrToStringUTF8(text)!;
        }
        finally
        {
            LibvirtCalls.Free(text);
        }
    }

    /// <summary>The error of the last call on this thread.</summary>
    public static unsafe LibvirtException Last()
    {
        var error = (LibvirtCalls.Error*)LibvirtCalls.LastError();
        return error is null || error->Code == 0
            ? new(0, "libvirt gave no reason.")
            : new(error->Code, Marshal.PtrToStringUTF8(error->Message) ?? "libvirt gave no reason.", error->Domain);
    }
}
