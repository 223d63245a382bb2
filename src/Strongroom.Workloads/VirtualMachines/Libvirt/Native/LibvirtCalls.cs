using System.Runtime.InteropServices;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Native;

/// <summary>The functions of libvirt that are used (its C interface, which does not change: https://libvirt.org/html/index.html). A negative number or a null is a failure; the error is the calling thread's.</summary>
internal static partial class LibvirtCalls
{
    private const string Library = "libvirt.so.0";
    private const string QemuLibrary = "libvirt-qemu.so.0";

    /// <summary><c>struct _virError</c>, as far as it is read.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Error
    {
        public int Code, Domain;
        public nint Message;
    }

    /// <summary><c>struct _virConnectCredential</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Credential
    {
        public int Type;
        public nint Prompt, Challenge, Default, Result;
        public uint ResultLength;
    }

    /// <summary><c>struct _virConnectAuth</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Authentication
    {
        public nint Types;
        public uint TypeCount;
        public nint Callback, Data;
    }

    /// <summary><c>struct _virDomainBlockInfo</c>, in bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct BlockInfo
    {
        public ulong Capacity, Allocation, Physical;
    }

    /// <summary><c>struct _virDomainJobInfo</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct JobInfo
    {
        public int Type;
        public ulong TimeElapsed, TimeRemaining, DataTotal, DataProcessed, DataRemaining, MemoryTotal, MemoryProcessed, MemoryRemaining, FileTotal, FileProcessed, FileRemaining;
    }

    /// <summary><c>struct _virDomainBlockJobInfo</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct BlockJobInfo
    {
        public int Type;
        public nuint Bandwidth;
        public ulong Done, End;
    }

    /// <summary><c>struct _virStorageVolInfo</c>, in bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct VolumeInfo
    {
        public int Type;
        public ulong Capacity, Allocation;
    }

    /// <summary><c>struct _virStoragePoolInfo</c>, in bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct PoolInfo
    {
        public int State;
        public ulong Capacity, Allocation, Available;
    }

    // The library

    [LibraryImport(Library, EntryPoint = "virInitialize")]
    public static partial int Initialize();

    [LibraryImport(Library, EntryPoint = "virGetLastError")]
    public static partial nint LastError();

    [LibraryImport(Library, EntryPoint = "virSetErrorFunc")]
    public static unsafe partial void SetErrorHandler(nint data, delegate* unmanaged[Cdecl]<nint, nint, void> handler);

    [LibraryImport(Library, EntryPoint = "virEventRegisterDefaultImpl")]
    public static partial int RegisterEventLoop();

    [LibraryImport(Library, EntryPoint = "virEventRunDefaultImpl")]
    public static partial int RunEventLoopOnce();

    [LibraryImport("libc", EntryPoint = "free")]
    public static partial void Free(nint memory);

    [LibraryImport("libc", EntryPoint = "strdup")]
    public static partial nint Duplicate([In] byte[] text);

    // Connections

    [LibraryImport(Library, EntryPoint = "virConnectOpenAuth", StringMarshalling = StringMarshalling.Utf8)]
    public static partial ConnectionHandle Open(string uri, in Authentication authentication, uint flags);

    [LibraryImport(Library, EntryPoint = "virConnectClose")]
    public static partial int Close(nint connection);

    [LibraryImport(Library, EntryPoint = "virConnectIsAlive")]
    public static partial int IsAlive(ConnectionHandle connection);

    [LibraryImport(Library, EntryPoint = "virConnectSetKeepAlive")]
    public static partial int SetKeepAlive(ConnectionHandle connection, int intervalSeconds, uint count);

    [LibraryImport(Library, EntryPoint = "virConnectGetHostname")]
    public static partial nint HostName(ConnectionHandle connection);

    [LibraryImport(Library, EntryPoint = "virConnectGetCapabilities")]
    public static partial nint Capabilities(ConnectionHandle connection);

    [LibraryImport(Library, EntryPoint = "virConnectListAllDomains")]
    public static partial int ListDomains(ConnectionHandle connection, out nint domains, uint flags);

    [LibraryImport(Library, EntryPoint = "virConnectListAllNetworks")]
    public static partial int ListNetworks(ConnectionHandle connection, out nint networks, uint flags);

    [LibraryImport(Library, EntryPoint = "virNetworkGetName")]
    public static partial nint NetworkName(nint network);

    [LibraryImport(Library, EntryPoint = "virNetworkFree")]
    public static partial int FreeNetwork(nint network);

    // Domains

    [LibraryImport(Library, EntryPoint = "virDomainFree")]
    public static partial int FreeDomain(nint domain);

    [LibraryImport(Library, EntryPoint = "virDomainLookupByUUIDString", StringMarshalling = StringMarshalling.Utf8)]
    public static partial DomainHandle FindDomainById(ConnectionHandle connection, string uuid);

    [LibraryImport(Library, EntryPoint = "virDomainLookupByName", StringMarshalling = StringMarshalling.Utf8)]
    public static partial DomainHandle FindDomainByName(ConnectionHandle connection, string name);

    [LibraryImport(Library, EntryPoint = "virDomainDefineXMLFlags", StringMarshalling = StringMarshalling.Utf8)]
    public static partial DomainHandle DefineDomain(ConnectionHandle connection, string xml, uint flags);

    [LibraryImport(Library, EntryPoint = "virDomainCreateXML", StringMarshalling = StringMarshalling.Utf8)]
    public static partial DomainHandle StartTransientDomain(ConnectionHandle connection, string xml, uint flags);

    [LibraryImport(Library, EntryPoint = "virDomainGetName")]
    public static partial nint DomainName(DomainHandle domain);

    [LibraryImport(Library, EntryPoint = "virDomainGetUUIDString")]
    public static unsafe partial int DomainId(DomainHandle domain, byte* uuid);

    /// <returns>-1: it does not run.</returns>
    [LibraryImport(Library, EntryPoint = "virDomainGetID")]
    public static partial uint DomainNumber(DomainHandle domain);

    [LibraryImport(Library, EntryPoint = "virDomainGetState")]
    public static partial int DomainState(DomainHandle domain, out int state, out int reason, uint flags);

    [LibraryImport(Library, EntryPoint = "virDomainIsPersistent")]
    public static partial int IsPersistent(DomainHandle domain);

    [LibraryImport(Library, EntryPoint = "virDomainGetXMLDesc")]
    public static partial nint DomainXml(DomainHandle domain, uint flags);

    [LibraryImport(Library, EntryPoint = "virDomainGetBlockInfo", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int DomainBlockInfo(DomainHandle domain, string disk, out BlockInfo info, uint flags);

    [LibraryImport(Library, EntryPoint = "virDomainCreateWithFlags")]
    public static partial int StartDomain(DomainHandle domain, uint flags);

    [LibraryImport(Library, EntryPoint = "virDomainResume")]
    public static partial int ResumeDomain(DomainHandle domain);

    [LibraryImport(Library, EntryPoint = "virDomainDestroyFlags")]
    public static partial int DestroyDomain(DomainHandle domain, uint flags);

    [LibraryImport(Library, EntryPoint = "virDomainUndefineFlags")]
    public static partial int UndefineDomain(DomainHandle domain, uint flags);

    [LibraryImport(Library, EntryPoint = "virDomainSetMetadata", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetMetadata(DomainHandle domain, int type, string? metadata, string? prefix, string? namespaceName, uint flags);

    [LibraryImport(Library, EntryPoint = "virDomainHasManagedSaveImage")]
    public static partial int HasManagedSave(DomainHandle domain, uint flags);

    [LibraryImport(Library, EntryPoint = "virDomainSnapshotNum")]
    public static partial int SnapshotCount(DomainHandle domain, uint flags);

    [LibraryImport(Library, EntryPoint = "virDomainAgentSetResponseTimeout")]
    public static partial int SetAgentTimeout(DomainHandle domain, int seconds, uint flags);

    [LibraryImport(Library, EntryPoint = "virDomainFSFreeze")]
    public static partial int FreezeFileSystems(DomainHandle domain, nint mountPoints, uint count, uint flags);

    [LibraryImport(Library, EntryPoint = "virDomainFSThaw")]
    public static partial int ThawFileSystems(DomainHandle domain, nint mountPoints, uint count, uint flags);

    /// <param name="timeoutSeconds">-2: wait for ever; -1: libvirt's own limit; 0: do not wait.</param>
    [LibraryImport(QemuLibrary, EntryPoint = "virDomainQemuAgentCommand", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint AgentCommand(DomainHandle domain, string command, int timeoutSeconds, uint flags);

    [LibraryImport(Library, EntryPoint = "virDomainScreenshot")]
    public static partial nint Screenshot(DomainHandle domain, StreamHandle stream, uint screen, uint flags);

    // Backups and checkpoints

    [LibraryImport(Library, EntryPoint = "virDomainBackupBegin", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int BeginBackup(DomainHandle domain, string backupXml, string? checkpointXml, uint flags);

    [LibraryImport(Library, EntryPoint = "virDomainBackupGetXMLDesc")]
    public static partial nint BackupXml(DomainHandle domain, uint flags);

    [LibraryImport(Library, EntryPoint = "virDomainAbortJob")]
    public static partial int AbortJob(DomainHandle domain);

    [LibraryImport(Library, EntryPoint = "virDomainGetJobInfo")]
    public static partial int Job(DomainHandle domain, out JobInfo info);

    [LibraryImport(Library, EntryPoint = "virDomainListAllCheckpoints")]
    public static partial int ListCheckpoints(DomainHandle domain, out nint checkpoints, uint flags);

    [LibraryImport(Library, EntryPoint = "virDomainCheckpointGetName")]
    public static partial nint CheckpointName(CheckpointHandle checkpoint);

    [LibraryImport(Library, EntryPoint = "virDomainCheckpointGetXMLDesc")]
    public static partial nint CheckpointXml(CheckpointHandle checkpoint, uint flags);

    [LibraryImport(Library, EntryPoint = "virDomainCheckpointDelete")]
    public static partial int DeleteCheckpoint(CheckpointHandle checkpoint, uint flags);

    [LibraryImport(Library, EntryPoint = "virDomainCheckpointFree")]
    public static partial int FreeCheckpoint(nint checkpoint);

    // Block jobs

    [LibraryImport(Library, EntryPoint = "virDomainBlockPull", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int PullBlocks(DomainHandle domain, string disk, nuint bandwidth, uint flags);

    [LibraryImport(Library, EntryPoint = "virDomainGetBlockJobInfo", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int BlockJob(DomainHandle domain, string disk, out BlockJobInfo info, uint flags);

    // Storage

    [LibraryImport(Library, EntryPoint = "virStoragePoolLookupByName", StringMarshalling = StringMarshalling.Utf8)]
    public static partial PoolHandle FindPool(ConnectionHandle connection, string name);

    [LibraryImport(Library, EntryPoint = "virStoragePoolLookupByVolume")]
    public static partial PoolHandle FindPoolOfVolume(VolumeHandle volume);

    [LibraryImport(Library, EntryPoint = "virConnectListAllStoragePools")]
    public static partial int ListPools(ConnectionHandle connection, out nint pools, uint flags);

    [LibraryImport(Library, EntryPoint = "virStoragePoolGetName")]
    public static partial nint PoolName(PoolHandle pool);

    [LibraryImport(Library, EntryPoint = "virStoragePoolIsActive")]
    public static partial int IsPoolActive(PoolHandle pool);

    [LibraryImport(Library, EntryPoint = "virStoragePoolFree")]
    public static partial int FreePool(nint pool);

    [LibraryImport(Library, EntryPoint = "virStoragePoolGetXMLDesc")]
    public static partial nint PoolXml(PoolHandle pool, uint flags);

    [LibraryImport(Library, EntryPoint = "virStoragePoolGetInfo")]
    public static partial int GetPoolInfo(PoolHandle pool, out PoolInfo info);

    [LibraryImport(Library, EntryPoint = "virStoragePoolRefresh")]
    public static partial int RefreshPool(PoolHandle pool, uint flags);

    [LibraryImport(Library, EntryPoint = "virStoragePoolListAllVolumes")]
    public static partial int ListVolumes(PoolHandle pool, out nint volumes, uint flags);

    [LibraryImport(Library, EntryPoint = "virStorageVolLookupByName", StringMarshalling = StringMarshalling.Utf8)]
    public static partial VolumeHandle FindVolume(PoolHandle pool, string name);

    [LibraryImport(Library, EntryPoint = "virStorageVolLookupByPath", StringMarshalling = StringMarshalling.Utf8)]
    public static partial VolumeHandle FindVolumeByPath(ConnectionHandle connection, string path);

    [LibraryImport(Library, EntryPoint = "virStorageVolCreateXML", StringMarshalling = StringMarshalling.Utf8)]
    public static partial VolumeHandle CreateVolume(PoolHandle pool, string xml, uint flags);

    [LibraryImport(Library, EntryPoint = "virStorageVolGetName")]
    public static partial nint VolumeName(VolumeHandle volume);

    [LibraryImport(Library, EntryPoint = "virStorageVolGetPath")]
    public static partial nint VolumePath(VolumeHandle volume);

    [LibraryImport(Library, EntryPoint = "virStorageVolGetXMLDesc")]
    public static partial nint VolumeXml(VolumeHandle volume, uint flags);

    [LibraryImport(Library, EntryPoint = "virStorageVolGetInfo")]
    public static partial int GetVolumeInfo(VolumeHandle volume, out VolumeInfo info);

    [LibraryImport(Library, EntryPoint = "virStorageVolDelete")]
    public static partial int DeleteVolume(VolumeHandle volume, uint flags);

    [LibraryImport(Library, EntryPoint = "virStorageVolFree")]
    public static partial int FreeVolume(nint volume);

    [LibraryImport(Library, EntryPoint = "virStorageVolUpload")]
    public static partial int Upload(VolumeHandle volume, StreamHandle stream, ulong offset, ulong length, uint flags);

    // Streams

    [LibraryImport(Library, EntryPoint = "virStreamNew")]
    public static partial StreamHandle NewStream(ConnectionHandle connection, uint flags);

    [LibraryImport(Library, EntryPoint = "virStreamSend")]
    public static unsafe partial int Send(StreamHandle stream, byte* data, nuint length);

    [LibraryImport(Library, EntryPoint = "virStreamSendHole")]
    public static partial int SendHole(StreamHandle stream, long length, uint flags);

    [LibraryImport(Library, EntryPoint = "virStreamRecv")]
    public static unsafe partial int Receive(StreamHandle stream, byte* data, nuint length);

    [LibraryImport(Library, EntryPoint = "virStreamFinish")]
    public static partial int Finish(StreamHandle stream);

    [LibraryImport(Library, EntryPoint = "virStreamAbort")]
    public static partial int Abort(nint stream);

    [LibraryImport(Library, EntryPoint = "virStreamFree")]
    public static partial int FreeStream(nint stream);
}
