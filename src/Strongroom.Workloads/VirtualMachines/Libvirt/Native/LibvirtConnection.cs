using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Native;

/// <summary>Who logs in to a host.</summary>
internal sealed record LibvirtLogin(string UserName, string Password);

/// <summary>A connection to a host's libvirt. Its calls block, and are made by one thread at a time.</summary>
internal sealed unsafe class LibvirtConnection : IDisposable
{
    // virConnectCredentialType
    private const int UserName = 1, AuthenticationName = 2, PassPhrase = 5, SilentPrompt = 7;

    private readonly ConnectionHandle _handle;

    private LibvirtConnection(ConnectionHandle handle) => _handle = handle;

    /// <summary>True as long as the connection has not been found dead; asked of the library, not of the host.</summary>
    public bool IsAlive => LibvirtCalls.IsAlive(_handle) == 1;

    internal ConnectionHandle Handle => _handle;

    /// <param name="uri">Such as <c>qemu:///system</c>.</param>
    /// <param name="login">For hosts that ask (SASL); null: one that asks is refused.</param>
    /// <param name="keepAliveSeconds">How often a host that keeps silent is asked whether it is there.</param>
    /// <param name="keepAliveCount">After how many such questions the connection, and all calls under way, end.</param>
    /// <exception cref="LibvirtException">The host cannot be reached or does not let us in.</exception>
    /// <exception cref="DllNotFoundException">libvirt's client library is not installed.</exception>
    public static LibvirtConnection Open(string uri, LibvirtLogin? login = null, int keepAliveSeconds = 5, int keepAliveCount = 6)
    {
        LibvirtLibrary.Require();
        var types = stackalloc int[] { UserName, AuthenticationName, PassPhrase, SilentPrompt };
        var data = login is null ? default : GCHandle.Alloc(login);
        try
        {
            var authentication = new LibvirtCalls.Authentication
            {
                Types = (nint)types,
                TypeCount = 4,
                Callback = (nint)(delegate* unmanaged[Cdecl]<nint, uint, nint, int>)&Answer,
                Data = login is null ? 0 : GCHandle.ToIntPtr(data),
            };
            var handle = LibvirtException.Check(LibvirtCalls.Open(uri, authentication, 0));
            // A host that is gone is noticed after half a minute, instead of by nobody. Local connections know it by themselves and refuse.
            _ = LibvirtCalls.SetKeepAlive(handle, keepAliveSeconds, (uint)keepAliveCount);
            return new(handle);
        }
        finally
        {
            if (data.IsAllocated) data.Free();
        }
    }

    /// <summary>All domains, running or not. The caller disposes them.</summary>
    public IReadOnlyList<LibvirtDomain> ListDomains()
    {
        var count = LibvirtException.Check(LibvirtCalls.ListDomains(_handle, out var list, 0));
        return NativeList.Take(list, count, static pointer => new LibvirtDomain(LibvirtHandle.Of<DomainHandle>(pointer)));
    }

    /// <summary>A domain by its id, or null.</summary>
    public LibvirtDomain? FindDomain(Guid id) => Found(LibvirtCalls.FindDomainById(_handle, id.ToString()), LibvirtException.NoDomain) is { } handle ? new(handle) : null;

    /// <summary>A domain by its name, or null.</summary>
    public LibvirtDomain? FindDomain(string name) => Found(LibvirtCalls.FindDomainByName(_handle, name), LibvirtException.NoDomain) is { } handle ? new(handle) : null;

    /// <summary>Makes a domain, or changes the one of the same id.</summary>
    public LibvirtDomain DefineDomain(string xml) => new(LibvirtException.Check(LibvirtCalls.DefineDomain(_handle, xml, 0)));

    /// <summary>Starts a domain that is gone when it ends.</summary>
    /// <param name="endsWithConnection">Also when this connection ends.</param>
    public LibvirtDomain StartTransientDomain(string xml, bool endsWithConnection) =>
        new(LibvirtException.Check(LibvirtCalls.StartTransientDomain(_handle, xml, endsWithConnection ? 2u : 0)));

    /// <summary>The host's own name of itself.</summary>
    public string HostName => LibvirtException.TakeText(LibvirtCalls.HostName(_handle));

    /// <summary>What the host can run (https://libvirt.org/formatcaps.html).</summary>
    public string Capabilities => LibvirtException.TakeText(LibvirtCalls.Capabilities(_handle));

    /// <summary>All storage pools, active or not. The caller disposes them.</summary>
    public IReadOnlyList<LibvirtPool> ListPools()
    {
        var count = LibvirtException.Check(LibvirtCalls.ListPools(_handle, out var list, 0));
        return NativeList.Take(list, count, pointer => new LibvirtPool(this, LibvirtHandle.Of<PoolHandle>(pointer)));
    }

    /// <summary>A storage pool, or null.</summary>
    public LibvirtPool? FindPool(string name) => Found(LibvirtCalls.FindPool(_handle, name), LibvirtException.NoStoragePool) is { } handle ? new(this, handle) : null;

    /// <summary>The volume at a path, or null when no pool knows it.</summary>
    public LibvirtVolume? FindVolume(string path) => Found(LibvirtCalls.FindVolumeByPath(_handle, path), LibvirtException.NoStorageVolume) is { } handle ? new(this, handle) : null;

    /// <summary>The names of the host's networks.</summary>
    public IReadOnlyList<string> ListNetworks()
    {
        var count = LibvirtException.Check(LibvirtCalls.ListNetworks(_handle, out var list, 0));
        return NativeList.Take(list, count, static network =>
        {
            var name = Marshal.PtrToStringUTF8(LibvirtCalls.NetworkName(network))!;
            _ = LibvirtCalls.FreeNetwork(network);
            return name;
        });
    }

    public void Dispose() => _handle.Dispose();

    internal static T? Found<T>(T handle, int absent) where T : LibvirtHandle
    {
        if (!handle.IsInvalid) return handle;
        var error = LibvirtException.Last();
        handle.Dispose();
        return error.Code == absent ? null : throw error;
    }

    /// <summary>Fills in what the host asks for; refuses when there is no login.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Answer(nint credentials, uint count, nint data)
    {
        if (data == 0 || GCHandle.FromIntPtr(data).Target is not LibvirtLogin login) return -1;
        var asked = (LibvirtCalls.Credential*)credentials;
        for (var index = 0; index < count; index++)
        {
            var text = Encoding.UTF8.GetBytes((asked[index].Type is UserName or AuthenticationName ? login.UserName : login.Password) + '\0');
            asked[index].Result = LibvirtCalls.Duplicate(text);
            asked[index].ResultLength = (uint)text.Length - 1;
        }

        return 0;
    }
}
