using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Strongroom.Backup.Machines;
using Strongroom.Blocks;

namespace Strongroom.Workloads.VirtualMachines.Folder.Restores;

/// <summary>A new machine in a folder of a host: made in a stage, and renamed to its place whole.</summary>
/// <param name="wanted">The machine.</param>
/// <param name="hostFolder">Real path of the host's folder.</param>
/// <param name="run">The run of the job.</param>
internal sealed class FolderCreation(NewMachine wanted, string hostFolder, HostRun run, TimeProvider time) : IMachineRestore
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, TypeInfoResolver = JsonTypeInfoResolver.Combine() };

    private readonly List<string> _disks = [];
    private readonly string _stage = RestoreStage.Create(hostFolder, run);
    private string? _osDisk;
    private bool _isMoved;

    public bool IsCommitted => false;

    public Task<IDiskWriter> CreateDiskAsync(MachineDisk disk, CancellationToken cancellationToken)
    {
        var name = DiskFiles.NameOf(disk.Name, disk.Format);
        _disks.Add(name);
        if (disk.IsOs) _osDisk = name;
        return Task.FromResult(DiskWriters.Create(Path.Combine(_stage, name), DiskFiles.FormatToWrite(name, disk.Format), disk.SizeBytes, Guid.NewGuid(), time.GetUtcNow()));
    }

    public Task CommitAsync(CancellationToken cancellationToken) => Task.Run(Commit, cancellationToken);

    public ValueTask DisposeAsync()
    {
        if (!_isMoved && Directory.Exists(_stage)) Directory.Delete(_stage, recursive: true);
        return ValueTask.CompletedTask;
    }

    private void Commit()
    {
        RestoreMarker.Write(Path.Combine(_stage, MachineDescription.FileName), Describe().ToJsonString(Indented) + "\n");
        new RestoreMarker(run.JobId, _disks).Write(_stage);
        foreach (var file in Directory.GetFiles(_stage)) FolderChanges.CopyOwner(hostFolder, file);
        FolderChanges.CopyOwner(hostFolder, _stage);
        File.SetUnixFileMode(_stage, File.GetUnixFileMode(hostFolder));
        FolderChanges.Synchronise(_stage);
        var place = Path.Combine(hostFolder, wanted.Name);
        try
        {
            FolderChanges.MoveNew(_stage, place);
        }
        catch (IOException exception) when (Directory.Exists(place) && Directory.Exists(_stage))
        {
            throw new MachineException(MachineProblem.NameTaken, $"The host has a folder '{wanted.Name}' already.", exception);
        }

        _isMoved = true;
    }

    /// <summary>The machine's <c>vm.json</c>. The network is written down for whoever starts the machine: a folder has none.</summary>
    private JsonObject Describe()
    {
        var description = new JsonObject
        {
            ["name"] = wanted.Name,
            ["size"] = wanted.Source.Size,
            ["osType"] = wanted.Source.OsType,
            ["osDisk"] = _osDisk,
            ["vmId"] = wanted.VmId.ToString(),
            ["tags"] = new JsonObject(wanted.Source.Tags.Select(tag => KeyValuePair.Create(tag.Key, (JsonNode?)tag.Value))),
        };
        if (wanted.VirtualNetworkId is { Length: > 0 } network) description["virtualNetworkId"] = network;
        if (wanted.SubnetId is { Length: > 0 } subnet) description["subnetId"] = subnet;
        return description;
    }
}
