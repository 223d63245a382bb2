using Microsoft.Win32.SafeHandles;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Native;

/// <summary>An object of libvirt's, released once.</summary>
internal abstract class LibvirtHandle() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    /// <summary>Takes over a pointer out of a list that libvirt has filled.</summary>
    public static T Of<T>(nint pointer) where T : LibvirtHandle, new()
    {
        var handle = new T();
        handle.SetHandle(pointer);
        return handle;
    }
}

internal sealed class ConnectionHandle : LibvirtHandle
{
    protected override bool ReleaseHandle() => LibvirtCalls.Close(handle) >= 0;
}

internal sealed class DomainHandle : LibvirtHandle
{
    protected override bool ReleaseHandle() => LibvirtCalls.FreeDomain(handle) >= 0;
}

internal sealed class CheckpointHandle : LibvirtHandle
{
    protected override bool ReleaseHandle() => LibvirtCalls.FreeCheckpoint(handle) >= 0;
}

internal sealed class PoolHandle : LibvirtHandle
{
    protected override bool ReleaseHandle() => LibvirtCalls.FreePool(handle) >= 0;
}

internal sealed class VolumeHandle : LibvirtHandle
{
    protected override bool ReleaseHandle() => LibvirtCalls.FreeVolume(handle) >= 0;
}

internal sealed class StreamHandle : LibvirtHandle
{
    /// <summary>Finished: it is not aborted when it is released.</summary>
    public bool IsFinished { get; set; }

    protected override bool ReleaseHandle()
    {
        if (!IsFinished) _ = LibvirtCalls.Abort(handle);
        return LibvirtCalls.FreeStream(handle) >= 0;
    }
}
