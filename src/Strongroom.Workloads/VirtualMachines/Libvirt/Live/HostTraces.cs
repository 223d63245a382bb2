using Microsoft.Extensions.Logging;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;
using Strongroom.Workloads.VirtualMachines.Libvirt.Remote;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Live;

/// <summary>What backups of an item have left on a host: a backup job, checkpoints, sockets, scratch files. Blocks.</summary>
internal sealed class HostTraces(LibvirtConnection connection, LibvirtDomain domain, LibvirtHost host, Guid itemKey, ILogger log)
{
    /// <summary>libvirt up to 9 at least holds all events of a machine back for 30 seconds when its guest agent connects while it is backed up (the machine was started again).</summary>
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(60);

    private readonly TraceNames _names = new(itemKey);

    /// <summary>Removes them.</summary>
    /// <param name="keep">The checkpoint of the newest recovery point, which stays; null: none does.</param>
    /// <exception cref="LibvirtException">The host or the domain is gone.</exception>
    public void Remove(string? keep)
    {
        if (host.IsLocal || !domain.IsActive) RemoveFiles();
        // Of a machine that does not run nothing can be deleted but the memory of it; its checkpoints wait for its next start.
        if (!domain.IsActive) return;
        EndJob();
        foreach (var checkpoint in domain.ListCheckpoints().Where(name => name != keep && name.StartsWith(_names.CheckpointPrefix, StringComparison.Ordinal)))
            DeleteCheckpoint(checkpoint);
        RemoveFiles();
    }

    /// <summary>Ends a backup job of the item's, and waits until the host has forgotten it. One of somebody else's is left alone.</summary>
    public void EndJob()
    {
        if (!IsOurs(domain.FindBackup())) return;
        domain.AbortJob();
        var started = Environment.TickCount64;
        while (domain.FindBackup() is not null)
        {
            if (Environment.TickCount64 - started > EndLimit.TotalMilliseconds) throw new LibvirtException(LibvirtException.OperationInvalid, "The backup job of an earlier run does not end.");
            Pause.For(TimeSpan.FromMilliseconds(10));
        }
    }

    /// <summary>Deletes a checkpoint with its bitmaps; one that has lost them is only forgotten. Where it cannot be done now it stays, for the next backup.</summary>
    private void DeleteCheckpoint(string name)
    {
        try
        {
            domain.DeleteCheckpoint(name);
        }
        catch (LibvirtException exception) when (HasLostBitmap(exception))
        {
            log.LogInformation("Checkpoint {Checkpoint} is only forgotten: {Reason}", name, exception.Message);
            domain.DeleteCheckpoint(name, isMetadataOnly: true);
        }
        catch (LibvirtException exception) when (!exception.IsOfConnection && exception.Code != LibvirtException.NoDomain)
        {
            // A bitmap whose checkpoint is forgotten stays in its image for ever, and records.
            log.LogWarning("Checkpoint {Checkpoint} cannot be deleted now: {Reason}", name, exception.Message);
        }
    }

    /// <summary>Whether a checkpoint could not be deleted because a bitmap of it is gone, or is of no use. libvirt has no code for the first; should its words change, the checkpoint stays.</summary>
    internal static bool HasLostBitmap(LibvirtException exception) =>
        exception.Code == LibvirtException.CheckpointInconsistent || (exception.Message.Contains("bitmap", StringComparison.Ordinal) && exception.Message.Contains("not found in backing chain", StringComparison.Ordinal));

    /// <summary>Sockets stay when QEMU is killed; scratch files when libvirt is. Of another machine only what its scratch pool shows is seen.</summary>
    public void RemoveFiles()
    {
        if (!host.IsLocal) PoolScratch.RemoveFiles(connection, host, _names.FilePrefix, log);
        else if (Directory.Exists(host.ScratchPath)) RemoveLocalFiles();
    }

    private void RemoveLocalFiles()
    {
        try
        {
            foreach (var file in Directory.GetFiles(host.ScratchPath, _names.FilePrefix + "*")) RemoveLocalFile(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            log.LogWarning(exception, "What backups left in '{Folder}' cannot be looked for", host.ScratchPath);
        }
    }

    private void RemoveLocalFile(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            log.LogWarning(exception, "'{File}' was left by a backup and cannot be removed", file);
        }
    }

    /// <summary>Whether a run of ours has died here: there is something of it, as far as the host shows it.</summary>
    /// <param name="keep">The checkpoint of the newest recovery point, which is no such thing; null: there is none.</param>
    /// <exception cref="LibvirtException">The host or the domain is gone.</exception>
    public bool AreThere(string? keep) =>
        IsOurs(domain.FindBackup())
        || domain.ListCheckpoints().Any(name => name != keep && name.StartsWith(_names.CheckpointPrefix, StringComparison.Ordinal))
        || (host.IsLocal && Directory.Exists(host.ScratchPath) && Directory.EnumerateFiles(host.ScratchPath, _names.FilePrefix + "*").Any());

    /// <summary>Thaws the machine if it is frozen, and has its applications told, as they would have been after the snapshot.</summary>
    /// <exception cref="LibvirtException">The host or the domain is gone.</exception>
    public void LetGo()
    {
        if (!domain.IsActive || !DomainDescription.Parse(domain.Xml).HasAgentChannel) return;
        var agent = new GuestAgent(domain);
        if (agent.FindSilence() is not null) return;
        if (agent.IsFrozen) domain.Thaw();
        if (agent.Run(GuestAgent.PostScript) == ScriptEnd.Failed) log.LogWarning("The script {Script} of domain {Domain} failed", GuestAgent.PostScript, domain.Name);
    }

    private bool IsOurs(string? backupXml) => backupXml is not null && backupXml.Contains(_names.FilePrefix, StringComparison.Ordinal);
}
