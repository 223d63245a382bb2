namespace Strongroom.Workloads.VirtualMachines.Libvirt;

/// <summary>Waits on a thread that may block: libvirt's calls have one of their own (<see cref="LibvirtConnections.UseAsync{T}"/>).</summary>
internal static class Pause
{
    public static void For(TimeSpan time) => CancellationToken.None.WaitHandle.WaitOne(time);
}
