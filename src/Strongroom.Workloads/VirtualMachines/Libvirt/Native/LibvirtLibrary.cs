using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Native;

/// <summary>Makes the library ready, once: quiet, safe for threads, with a loop of its own for the keep-alive of connections to other machines.</summary>
internal static unsafe class LibvirtLibrary
{
    private static readonly Lazy<bool> Ready = new(Start);

    /// <exception cref="DllNotFoundException">libvirt's client library is not installed.</exception>
    public static void Require() => _ = Ready.Value;

    private static bool Start()
    {
        LibvirtException.Check(LibvirtCalls.RegisterEventLoop());
        LibvirtException.Check(LibvirtCalls.Initialize());
        // Errors come to us with the calls; on the server's standard error they would be noise.
        LibvirtCalls.SetErrorHandler(0, &Ignore);
        new Thread(Loop) { IsBackground = true, Name = "libvirt events" }.Start();
        return true;
    }

    private static void Loop()
    {
        while (LibvirtCalls.RunEventLoopOnce() >= 0) { }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Ignore(nint data, nint error) { }
}
