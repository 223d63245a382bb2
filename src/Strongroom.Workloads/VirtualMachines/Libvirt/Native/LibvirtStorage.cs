using System.Runtime.InteropServices;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Native;

/// <summary>A storage pool. Its calls block.</summary>
internal sealed class LibvirtPool(LibvirtConnection connection, PoolHandle handle) : IDisposable
{
    public string Name => Marshal.PtrToStringUTF8(LibvirtCalls.PoolName(handle)) ?? throw LibvirtException.Last();

    public bool IsActive => LibvirtException.Check(LibvirtCalls.IsPoolActive(handle)) == 1;

    public string Xml => LibvirtException.TakeText(LibvirtCalls.PoolXml(handle, 0));

    public ulong AvailableBytes => Room.Available;

    public LibvirtCalls.PoolInfo Room
    {
        get
        {
            LibvirtException.Check(LibvirtCalls.GetPoolInfo(handle, out var info));
            return info;
        }
    }

    /// <summary>Looks at what is in the pool anew.</summary>
    public void Refresh() => LibvirtException.Check(LibvirtCalls.RefreshPool(handle, 0));

    /// <summary>The caller disposes them.</summary>
    public IReadOnlyList<LibvirtVolume> ListVolumes()
    {
        var count = LibvirtException.Check(LibvirtCalls.ListVolumes(handle, out var list, 0));
        return NativeList.Take(list, count, pointer => new LibvirtVolume(connection, LibvirtHandle.Of<VolumeHandle>(pointer)));
    }

    /// <summary>A volume by its name, or null.</summary>
    public LibvirtVolume? FindVolume(string name) =>
        LibvirtConnection.Found(LibvirtCalls.FindVolume(handle, name), LibvirtException.NoStorageVolume) is { } volume ? new(connection, volume) : null;

    public LibvirtVolume CreateVolume(string xml) => new(connection, LibvirtException.Check(LibvirtCalls.CreateVolume(handle, xml, 0)));

    public void Dispose() => handle.Dispose();
}

/// <summary>A volume of a storage pool. Its calls block.</summary>
internal sealed class LibvirtVolume(LibvirtConnection connection, VolumeHandle handle) : IDisposable
{
    private const uint SparseStream = 1;
    private const int BlockVolume = 1;

    public string Name => Marshal.PtrToStringUTF8(LibvirtCalls.VolumeName(handle)) ?? throw LibvirtException.Last();

    public string Path => LibvirtException.TakeText(LibvirtCalls.VolumePath(handle));

    public string Xml => LibvirtException.TakeText(LibvirtCalls.VolumeXml(handle, 0));

    /// <summary>A device, not a file.</summary>
    public bool IsBlock
    {
        get
        {
            LibvirtException.Check(LibvirtCalls.GetVolumeInfo(handle, out var info));
            return info.Type == BlockVolume;
        }
    }

    /// <summary>The size that a machine sees, in bytes.</summary>
    public ulong CapacityBytes
    {
        get
        {
            LibvirtException.Check(LibvirtCalls.GetVolumeInfo(handle, out var info));
            return info.Capacity;
        }
    }

    /// <summary>The pool that it is in; the caller disposes it.</summary>
    public LibvirtPool FindPool() => new(connection, LibvirtException.Check(LibvirtCalls.FindPoolOfVolume(handle)));

    public void Delete() => LibvirtException.Check(LibvirtCalls.DeleteVolume(handle, 0));

    /// <summary>Begins to write the volume's file from a place on.</summary>
    public LibvirtUpload Upload(long offsetBytes, long lengthBytes)
    {
        var stream = LibvirtException.Check(LibvirtCalls.NewStream(connection.Handle, 0));
        try
        {
            LibvirtException.Check(LibvirtCalls.Upload(handle, stream, (ulong)offsetBytes, (ulong)lengthBytes, SparseStream));
            return new(stream);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    public void Dispose() => handle.Dispose();
}

/// <summary>Bytes and holes on their way into a volume, in order. Disposing it unfinished aborts it.</summary>
internal sealed class LibvirtUpload(StreamHandle stream) : IDisposable
{
    public unsafe void Write(ReadOnlySpan<byte> data)
    {
        fixed (byte* start = data)
        {
            for (var sent = 0; sent < data.Length;) sent += LibvirtException.Check(LibvirtCalls.Send(stream, start + sent, (nuint)(data.Length - sent)));
        }
    }

    public void WriteHole(long lengthBytes) => LibvirtException.Check(LibvirtCalls.SendHole(stream, lengthBytes, 0));

    public void Finish()
    {
        LibvirtException.Check(LibvirtCalls.Finish(stream));
        stream.IsFinished = true;
    }

    public void Dispose() => stream.Dispose();
}
