using Microsoft.Extensions.Logging;
using Strongroom.Backup.Machines;
using Strongroom.Blocks;
using Strongroom.Blocks.Nbd.Server;
using Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.InstantBoot;

/// <summary>The disks of a recovery point as NBD servers on Unix sockets, in the scratch folder of their host, where only QEMU's user and the server are let in.</summary>
internal sealed class ServedDisks : IAsyncDisposable
{
    private readonly List<NbdServer> _servers = [];

    /// <summary>What the path of each socket of a job begins with. The name is short, since that of a socket may have 107 bytes, of which the folder takes 70.</summary>
    public static string PathPrefix(LibvirtHost host, Guid jobId) => Path.Combine(host.ScratchPath, $"boot-{jobId.ToString("N")[..12]}.");

    /// <summary>The path of a disk's socket.</summary>
    public static string PathOf(LibvirtHost host, Guid jobId, int disk) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{PathPrefix(host, jobId)}{disk}");

    /// <summary>The address of a disk, as QEMU writes it into an image that is made over it: the same for every run of the job.</summary>
    public string UriOf(int disk) => _servers[disk].Uri;

    /// <exception cref="MachineException">The host's scratch folder cannot be used.</exception>
    public void Add(HostSetting setting, Guid jobId, MachineDisk disk, IBlockDevice content, ILogger log)
    {
        try
        {
            var server = NbdServer.Start(PathOf(setting.Host, jobId, _servers.Count), content, new()
            {
                ExportName = "disk",
                OnFailure = exception => log.LogWarning(exception, "Disk '{Disk}' of a machine that runs from the vault could not be read", disk.Name),
            });
            _servers.Add(server);
            // QEMU runs as a user of its own, whose folder it is.
            FolderChanges.CopyOwner(setting.Host.ScratchPath, server.SocketPath);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MachineException(MachineProblem.NotWritable, $"The scratch folder of host '{setting.Host.Name}' cannot hold the sockets that the machine is served through: {exception.Message}", exception);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers) await server.DisposeAsync();
        _servers.Clear();
    }
}
