using Strongroom.Workloads.VirtualMachines.Libvirt.Native;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Live;

/// <summary>Where the disks of one backup are served; it is the backup's until disposed of.</summary>
internal abstract class BackupPlace : IDisposable
{
    public abstract BackupServer Server { get; }

    /// <summary>Goes on to another place.</summary>
    /// <param name="refusal">Why QEMU does not serve at this one.</param>
    /// <returns>False: another place would not help.</returns>
    public abstract bool TryNext(LibvirtException refusal);

    public abstract void Dispose();
}

/// <summary>A socket of this machine, whose name is no other run's.</summary>
internal sealed class SocketPlace(string socket) : BackupPlace
{
    public override BackupServer Server { get; } = new UnixBackupServer(socket);

    public override bool TryNext(LibvirtException refusal) => false;

    public override void Dispose()
    {
    }
}
