using Microsoft.Extensions.Logging.Abstractions;
using Strongroom.Backup.Machines;
using Strongroom.Blocks;
using Strongroom.Libvirt.Hosts;
using Strongroom.Libvirt.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt;
using Strongroom.Workloads.VirtualMachines.Libvirt.Remote;

namespace Strongroom.Libvirt.Live;

/// <summary>What a backup of a machine came to: each disk as a raw file.</summary>
/// <param name="Files">By disk name.</param>
/// <param name="ReadBytes">What was read of each disk, by its name.</param>
internal sealed record TakenPoint(string? Tracking, string Consistency, TimeSpan? Frozen, IReadOnlyList<string> Notes, IReadOnlyDictionary<string, string> Files, IReadOnlyDictionary<string, long> ReadBytes, VirtualMachine Machine);

/// <summary>The libvirt fabric on a libvirtd of the test's own, and points that are files: what a backup does with a snapshot, without a vault.</summary>
internal sealed class LiveLab : ILibvirtHosts, IDisposable
{
    private const string Subscription = "11111111-1111-1111-1111-111111111111";

    private readonly TempFolder _folder = new();
    private readonly Libvirtd _libvirtd;
    private readonly ConnectionLimits _limits;
    private readonly IReadOnlyList<int>? _ports;
    private readonly string _guard;
    private readonly Dictionary<Guid, TakenPoint> _points = [];
    private int _fence;

    /// <param name="guard">Stands in for the guard of a freeze; null for the server's own.</param>
    /// <param name="ports">That disks of remote machines are served at, in this order; null: the usual ones.</param>
    public LiveLab(Libvirtd libvirtd, ConnectionLimits? limits = null, IReadOnlyList<int>? ports = null, string? guard = null)
    {
        _libvirtd = libvirtd;
        _limits = limits ?? new();
        _ports = ports;
        _guard = guard ?? Repository.ServerExecutable;
        ScratchPath = libvirtd.Folders.Scratch;
        Fabric = NewFabric();
    }

    public LibvirtFabric Fabric { get; private set; }

    public Guid ItemKey { get; } = Guid.NewGuid();

    public string ScratchPath { get; set; }

    public string? Uri { get; set; }

    public bool MayFreeze { get; set; } = true;

    /// <summary>Of the next runs; null: each has another one. 1: no run of the same job has died.</summary>
    public long? Fence { get; set; }

    public LibvirtHost Host => new($"/subscriptions/{Subscription}/resourceGroups/lab/providers/Strongroom.Fabric/hosts/kvm1", Subscription, "lab", "home", Uri ?? _libvirtd.Uri, "default", ScratchPath);

    public Task<IReadOnlyList<LibvirtHost>> ListAsync(string subscriptionId, CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<LibvirtHost>>([Host]);

    public Task<IReadOnlySet<string>> ListVolumesAsync(LibvirtHost host, CancellationToken cancellationToken) => Task.FromResult<IReadOnlySet<string>>(new HashSet<string>());

    public (string UserName, string Password)? FindLogin(string name) => null;

    public Task<IReadOnlyList<VirtualMachine>> ListMachinesAsync(CancellationToken cancellationToken) => Fabric.ListAsync(Subscription, null, cancellationToken);

    public async Task<VirtualMachine> FindAsync(string name, CancellationToken cancellationToken) =>
        await Fabric.FindAsync(Subscription, "lab", name, cancellationToken) ?? throw new InvalidOperationException($"There is no machine {name}.");

    /// <summary>As after the server's end: connections and all that is remembered are gone.</summary>
    public void Restart()
    {
        Fabric.Dispose();
        Fabric = NewFabric();
    }

    public async Task<IMachineSnapshot> SnapshotAsync(string name, TakenPoint? parent, CancellationToken cancellationToken, Func<int, bool>? selects = null, Guid pointId = default) =>
        await Fabric.SnapshotAsync(await FindAsync(name, cancellationToken), new(ItemKey, new(Guid.NewGuid(), Fence ?? ++_fence)) { Selects = selects ?? (static _ => true), PointId = pointId, ParentTracking = parent?.Tracking, MayFreeze = MayFreeze }, cancellationToken);

    /// <summary>Backs a machine up: what the snapshot calls unchanged is taken from the files of the point that it names.</summary>
    public async Task<TakenPoint> BackUpAsync(string name, TakenPoint? parent, CancellationToken cancellationToken, Func<IMachineSnapshot, Task>? meanwhile = null)
    {
        var id = Guid.NewGuid();
        await using var snapshot = await SnapshotAsync(name, parent, cancellationToken, pointId: id);
        if (meanwhile is not null) await meanwhile(snapshot);
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        var read = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var disk in snapshot.Disks)
        {
            var file = _folder.Combine($"{Guid.NewGuid():N}.raw");
            var since = disk.KnowsChanges;
            if (since) File.Copy(_points[snapshot.ChangesSince!.Value].Files[disk.Disk.Name], file);
            read[disk.Disk.Name] = await ReadAsync(disk, since, file, cancellationToken);
            files[disk.Disk.Name] = file;
        }

        var changes = await snapshot.FindChangesAsync(cancellationToken);
        Assert.True(changes.Count == 0, string.Join("; ", changes));
        await snapshot.CommittedAsync();
        return _points[id] = new(snapshot.ChangeTracking, snapshot.Consistency, snapshot.Frozen, snapshot.Notes, files, read, snapshot.Machine);
    }

    /// <summary>The host has nothing of a backup but the newest point's checkpoint.</summary>
    public static async Task AssertCleanAsync(Libvirtd host, TakenPoint point, LiveMachine machine, CancellationToken cancellationToken)
    {
        Assert.Empty(Directory.GetFileSystemEntries(host.Folders.Scratch));
        var checkpoint = Assert.Single((await host.VirshAsync(["checkpoint-list", machine.Name, "--name"], cancellationToken)).Succeeded().StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains($";{checkpoint};", point.Tracking, StringComparison.Ordinal);
        Assert.NotEqual(0, (await host.VirshAsync(["backup-dumpxml", machine.Name], cancellationToken)).ExitCode);
    }

    public void Dispose()
    {
        Fabric.Dispose();
        _folder.Dispose();
    }

    private LibvirtFabric NewFabric() => new(this, new() { Executable = _guard }, TimeProvider.System, NullLogger<LibvirtFabric>.Instance, _limits)
    {
        Ports = _ports is null ? BackupPorts.Standard() : new(_ports),
    };

    /// <returns>Bytes read.</returns>
    private static async Task<long> ReadAsync(IMachineSnapshotDisk disk, bool since, string file, CancellationToken cancellationToken)
    {
        await using var source = await disk.OpenAsync(since, cancellationToken);
        using var handle = File.OpenHandle(file, FileMode.OpenOrCreate, FileAccess.ReadWrite);
        if (RandomAccess.GetLength(handle) != source.LengthBytes) RandomAccess.SetLength(handle, source.LengthBytes);
        var buffer = new byte[1 << 20];
        long read = 0;
        await foreach (var extent in source.MapAsync(cancellationToken))
        {
            for (var offset = extent.OffsetBytes; extent.Kind != BlockKind.Unchanged && offset < extent.OffsetBytes + extent.LengthBytes;)
            {
                var part = buffer.AsMemory(0, (int)Math.Min(buffer.Length, extent.OffsetBytes + extent.LengthBytes - offset));
                if (extent.Kind == BlockKind.Zero)
                    part.Span.Clear();
                else
                {
                    await source.ReadAsync(offset, part, cancellationToken);
                    read += part.Length;
                }

                if (since || extent.Kind == BlockKind.Data) await RandomAccess.WriteAsync(handle, part, offset, cancellationToken);
                offset += part.Length;
            }
        }

        return read;
    }
}
