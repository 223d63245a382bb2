using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Xml.Linq;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Native;

/// <summary>The progress of a block job.</summary>
/// <param name="IsLive">False: there is no job on the disk.</param>
internal readonly record struct BlockJobProgress(bool IsLive, ulong DoneBytes, ulong EndBytes);

/// <summary>A domain: a virtual machine as libvirt knows it. Its calls block, and are made by one thread at a time.</summary>
internal sealed unsafe class LibvirtDomain(DomainHandle handle) : IDisposable
{
    private const int MetadataElement = 2, PausedByDisk = 5;

    // libvirt-domain.h: virDomainAgentResponseTimeoutValues; -2 is without a limit, as at a domain's start.
    private const int FreezeSeconds = 30, WaitsForAgent = -2;
    private const uint AffectConfiguration = 2;

    // virDomainBackupBeginFlags
    private const uint ReuseExternal = 1;

    private const uint XmlInactive = 2, XmlSecure = 1, StartPaused = 1, DestroyGracefully = 1, MetadataOnly = 2, XmlNoDomain = 2;

    // virDomainUndefineFlagsValues: managed save, snapshots' and checkpoints' metadata.
    private const uint UndefineAll = 1 | 2 | 16, UndefineKeepVariables = 8, UndefineVariables = 4;

    public string Name => Marshal.PtrToStringUTF8(LibvirtCalls.DomainName(handle)) ?? throw LibvirtException.Last();

    public Guid Id
    {
        get
        {
            var text = stackalloc byte[37];
            LibvirtException.Check(LibvirtCalls.DomainId(handle, text));
            return Guid.Parse(Marshal.PtrToStringUTF8((nint)text)!);
        }
    }

    /// <summary><c>virDomainState</c>.</summary>
    public LibvirtDomainState State
    {
        get
        {
            LibvirtException.Check(LibvirtCalls.DomainState(handle, out var state, out _, 0));
            return (LibvirtDomainState)state;
        }
    }

    /// <summary>It was paused because one of its disks could not be read or written.</summary>
    public bool IsStoppedByDisk
    {
        get
        {
            LibvirtException.Check(LibvirtCalls.DomainState(handle, out var state, out var reason, 0));
            return (LibvirtDomainState)state == LibvirtDomainState.Paused && reason == PausedByDisk;
        }
    }

    /// <summary>There is a QEMU process, whether its processors run or are paused.</summary>
    public bool IsActive => State is not (LibvirtDomainState.ShutOff or LibvirtDomainState.Crashed or LibvirtDomainState.NoState);

    /// <summary>The number of the run of the domain on its host that it was in when this object was made; -1 when it did not run. Another run has another number until libvirt is started again.</summary>
    public int RunNumber => (int)LibvirtCalls.DomainNumber(handle);

    public bool IsPersistent => LibvirtException.Check(LibvirtCalls.IsPersistent(handle)) == 1;

    /// <summary>Its memory lies on its host's disk, and it goes on from there at its next start.</summary>
    public bool HasManagedSave => LibvirtException.Check(LibvirtCalls.HasManagedSave(handle, 0)) == 1;

    /// <summary>How many snapshots libvirt knows of it.</summary>
    public int SnapshotCount => LibvirtException.Check(LibvirtCalls.SnapshotCount(handle, 0));

    /// <summary>Its description as it is now.</summary>
    public string Xml => LibvirtException.TakeText(LibvirtCalls.DomainXml(handle, 0));

    /// <summary>Its description as it will be at its next start, with secrets.</summary>
    public string InactiveXml => LibvirtException.TakeText(LibvirtCalls.DomainXml(handle, XmlInactive | XmlSecure));

    /// <summary>Puts an element into its description as it will be at its next start, in the place of the one of the same namespace; the rest stays.</summary>
    /// <param name="element">Without a namespace: it gets the named one, with all that is in it.</param>
    public void SetMetadata(string element, string prefix, string namespaceName) =>
        LibvirtException.Check(LibvirtCalls.SetMetadata(handle, MetadataElement, element, prefix, namespaceName, AffectConfiguration));

    public LibvirtCalls.BlockInfo BlockInfo(string disk)
    {
        LibvirtException.Check(LibvirtCalls.DomainBlockInfo(handle, disk, out var info, 0));
        return info;
    }

    public void Start(bool isPaused = false) => LibvirtException.Check(LibvirtCalls.StartDomain(handle, isPaused ? StartPaused : 0));

    public void Resume() => LibvirtException.Check(LibvirtCalls.ResumeDomain(handle));

    /// <summary>Ends its QEMU process, as pulling the plug does.</summary>
    public void Destroy(bool gracefully = true) => LibvirtException.Check(LibvirtCalls.DestroyDomain(handle, gracefully ? DestroyGracefully : 0));

    /// <summary>Removes it from its host's list; its disks stay.</summary>
    public void Undefine(bool keepsFirmwareVariables = false) =>
        LibvirtException.Check(LibvirtCalls.UndefineDomain(handle, UndefineAll | (keepsFirmwareVariables ? UndefineKeepVariables : UndefineVariables)));

    /// <summary>Freezes its file systems through the guest agent.</summary>
    /// <returns>How many.</returns>
    /// <remarks>An agent that says nothing for <see cref="FreezeSeconds"/> has failed; the file systems may stand still all the same.</remarks>
    public int Freeze()
    {
        LibvirtException.Check(LibvirtCalls.SetAgentTimeout(handle, FreezeSeconds, 0));
        try
        {
            return LibvirtException.Check(LibvirtCalls.FreezeFileSystems(handle, 0, 0, 0));
        }
        finally
        {
            // Of the domain, not of this connection: others wait as they did. What this says of its own failure must not hide the freeze's.
            _ = LibvirtCalls.SetAgentTimeout(handle, WaitsForAgent, 0);
        }
    }

    /// <inheritdoc cref="Freeze"/>
    public int Thaw() => LibvirtException.Check(LibvirtCalls.ThawFileSystems(handle, 0, 0, 0));

    /// <summary>Asks the guest agent (QEMU's qga-qapi-schema).</summary>
    /// <returns>Its answer, JSON.</returns>
    public string AskAgent(string command, int timeoutSeconds) => LibvirtException.TakeText(LibvirtCalls.AgentCommand(handle, command, timeoutSeconds, 0));

    /// <summary>Begins a backup of all disks that the description names, and the checkpoint, at one moment.</summary>
    /// <param name="hasScratchFiles">The scratch files are there already, as empty qcow2 images; they stay when the backup ends.</param>
    public void BeginBackup(string backupXml, string? checkpointXml, bool hasScratchFiles) =>
        LibvirtException.Check(LibvirtCalls.BeginBackup(handle, backupXml, checkpointXml, hasScratchFiles ? ReuseExternal : 0));

    /// <summary>The description of the backup under way, or null.</summary>
    public string? FindBackup()
    {
        var text = LibvirtCalls.BackupXml(handle, 0);
        if (text != 0) return LibvirtException.TakeText(text);
        var error = LibvirtException.Last();
        return error.Code is LibvirtException.NoDomainBackup or LibvirtException.OperationInvalid ? null : throw error;
    }

    /// <summary>Whether libvirt holds a backup of the machine open that it knows nothing more of: libvirtd died while it began one. libvirt (9.0 at least) cannot end such a job.</summary>
    public bool HasLostBackup()
    {
        // "backup job data missing" is an internal error, and the only one here; libvirt may say it in another language.
        if (LibvirtCalls.Job(handle, out _) >= 0) return false;
        return LibvirtException.Last().Code == LibvirtException.InternalError && FindBackup() is null;
    }

    public void AbortJob() => LibvirtException.Check(LibvirtCalls.AbortJob(handle));

    public IReadOnlyList<string> ListCheckpoints()
    {
        var count = LibvirtException.Check(LibvirtCalls.ListCheckpoints(handle, out var list, 0));
        return NativeList.Take(list, count, static pointer =>
        {
            using var checkpoint = LibvirtHandle.Of<CheckpointHandle>(pointer);
            return Marshal.PtrToStringUTF8(LibvirtCalls.CheckpointName(checkpoint))!;
        });
    }

    /// <summary>The guest's names of the disks that a checkpoint has bitmaps of.</summary>
    public IReadOnlySet<string> TrackedDisks(string checkpointName)
    {
        var count = LibvirtException.Check(LibvirtCalls.ListCheckpoints(handle, out var list, 0));
        var xml = NativeList.Take(list, count, static pointer =>
        {
            using var checkpoint = LibvirtHandle.Of<CheckpointHandle>(pointer);
            return (Name: Marshal.PtrToStringUTF8(LibvirtCalls.CheckpointName(checkpoint))!, Xml: LibvirtException.TakeText(LibvirtCalls.CheckpointXml(checkpoint, XmlNoDomain)));
        }).FirstOrDefault(found => found.Name == checkpointName).Xml;
        if (xml is null) return ImmutableHashSet<string>.Empty;
        return XElement.Parse(xml).Descendants("disk").Where(disk => (string?)disk.Attribute("checkpoint") == "bitmap").Select(disk => (string?)disk.Attribute("name")).OfType<string>().ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>Deletes a checkpoint if it is there, with its bitmaps.</summary>
    /// <param name="isMetadataOnly">Forgets it and leaves the disks alone: for one whose bitmaps are missing or broken.</param>
    public void DeleteCheckpoint(string name, bool isMetadataOnly = false)
    {
        var count = LibvirtException.Check(LibvirtCalls.ListCheckpoints(handle, out var list, 0));
        var checkpoints = NativeList.Take(list, count, LibvirtHandle.Of<CheckpointHandle>);
        try
        {
            var found = checkpoints.FirstOrDefault(checkpoint => Marshal.PtrToStringUTF8(LibvirtCalls.CheckpointName(checkpoint)) == name);
            if (found is not null) LibvirtException.Check(LibvirtCalls.DeleteCheckpoint(found, isMetadataOnly ? MetadataOnly : 0));
        }
        finally
        {
            foreach (var checkpoint in checkpoints) checkpoint.Dispose();
        }
    }

    /// <summary>Brings all data of a disk's backing chain into its top image while the machine runs.</summary>
    public void PullBlocks(string disk) => LibvirtException.Check(LibvirtCalls.PullBlocks(handle, disk, 0, 0));

    public BlockJobProgress BlockJob(string disk)
    {
        var found = LibvirtException.Check(LibvirtCalls.BlockJob(handle, disk, out var info, 0));
        return new(found == 1, info.Done, info.End);
    }

    /// <summary>A picture of its first screen.</summary>
    /// <returns>The picture and its media type (<c>image/x-portable-pixmap</c> of QEMU, <c>image/png</c> of newer ones).</returns>
    public (byte[] Picture, string MediaType) Screenshot(LibvirtConnection connection)
    {
        using var stream = LibvirtException.Check(LibvirtCalls.NewStream(connection.Handle, 0));
        var type = LibvirtException.TakeText(LibvirtCalls.Screenshot(handle, stream, 0, 0));
        using var picture = new MemoryStream();
        var buffer = new byte[64 * 1024];
        fixed (byte* start = buffer)
        {
            while (LibvirtException.Check(LibvirtCalls.Receive(stream, start, (nuint)buffer.Length)) is > 0 and var read) picture.Write(buffer, 0, read);
        }

        LibvirtException.Check(LibvirtCalls.Finish(stream));
        stream.IsFinished = true;
        return (picture.ToArray(), type);
    }

    public void Dispose() => handle.Dispose();
}

/// <summary><c>virDomainState</c>.</summary>
internal enum LibvirtDomainState
{
    NoState, Running, Blocked, Paused, ShuttingDown, ShutOff, Crashed, Suspended,
}
