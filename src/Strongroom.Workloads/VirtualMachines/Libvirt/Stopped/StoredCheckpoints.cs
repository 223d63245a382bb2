using System.ComponentModel;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Strongroom.Blocks;
using Strongroom.Blocks.Qcow2;
using Strongroom.Workloads.VirtualMachines.Libvirt.Live;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Stopped;

/// <summary>
/// The checkpoints of an item whose machine does not run, when nobody wants them any more. libvirt 9 can only forget those: without a QEMU it does not touch the
/// bitmaps, which are therefore taken out of the images by <c>qemu-img</c>. Blocks.
/// </summary>
internal static class StoredCheckpoints
{
    private static readonly TimeSpan ToolLimit = TimeSpan.FromSeconds(60);

    /// <exception cref="LibvirtException">The host or the domain is gone.</exception>
    public static void Remove(LibvirtDomain domain, LibvirtHost host, Guid itemKey, ILogger log)
    {
        var prefix = new TraceNames(itemKey).CheckpointPrefix;
        var checkpoints = domain.ListCheckpoints().Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).ToList();
        if (checkpoints.Count == 0) return;
        var disks = DomainDescription.Parse(domain.InactiveXml).Disks.Where(disk => disk.Format == "qcow2").Select(disk => disk.Source).OfType<string>().ToList();
        foreach (var checkpoint in checkpoints)
        {
            foreach (var disk in disks)
            {
                // What is not taken out costs the image some kilobytes; a checkpoint that stays would be in its owner's way.
                if ((host.IsLocal ? TryRemove(disk, checkpoint) : "its host is another machine") is { } reason)
                    log.LogWarning("Bitmap '{Bitmap}' stays in '{Disk}' (qemu-img bitmap --remove takes it out): {Reason}", checkpoint, disk, reason);
            }

            domain.DeleteCheckpoint(checkpoint, isMetadataOnly: true);
        }
    }

    /// <returns>Why it is still there; null: it is not.</returns>
    private static string? TryRemove(string disk, string bitmap)
    {
        try
        {
            using (var file = DiskFile.OpenRegular(disk))
            {
                if (Qcow2Header.Read(file.Handle).Bitmaps is null) return null;
            }

            using var tool = Process.Start(new ProcessStartInfo("qemu-img", ["bitmap", "-f", "qcow2", "--remove", disk, bitmap]) { RedirectStandardError = true })!;
            var errors = tool.StandardError.ReadToEndAsync();
            if (!tool.WaitForExit(ToolLimit))
            {
                tool.Kill();
                return "qemu-img does not end";
            }

            return tool.ExitCode == 0 ? null : errors.GetAwaiter().GetResult().Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException or Win32Exception)
        {
            return exception.Message;
        }
    }
}
