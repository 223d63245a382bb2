using Strongroom.Workloads.VirtualMachines.Libvirt.Live;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;

namespace Strongroom.Workloads.Tests.VirtualMachines.Libvirt;

/// <summary>Which checkpoints that cannot be deleted are only forgotten: a forgotten one leaves its bitmaps behind for ever.</summary>
public sealed class LostBitmapTests
{
    [Theory]
    // What libvirt 9.0 says.
    [InlineData(1, "internal error: bitmap 'strongroom-a-b-1-1' not found in backing chain of 'vda'", true)]
    [InlineData(LibvirtException.CheckpointInconsistent, "checkpoint inconsistent: missing or broken bitmap 'strongroom-a-b-1-1' for disk 'vda'", true)]
    [InlineData(1, "internal error: unable to execute QEMU command 'transaction': Bitmap 'strongroom-a-b-1-1' is currently in use by another operation and cannot be used", false)]
    [InlineData(68, "Timed out during operation: cannot acquire state change lock (held by monitor=remoteDispatchDomainBackupBegin)", false)]
    [InlineData(LibvirtException.OperationInvalid, "Requested operation is not valid: block job active", false)]
    public void Those_that_have_lost_a_bitmap(int code, string message, bool isLost) => Assert.Equal(isLost, HostTraces.HasLostBitmap(new(code, message)));
}
