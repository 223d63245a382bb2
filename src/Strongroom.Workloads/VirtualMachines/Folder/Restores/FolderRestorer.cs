using Microsoft.Extensions.Logging;
using Strongroom.Arm;
using Strongroom.Backup.Machines;

namespace Strongroom.Workloads.VirtualMachines.Folder.Restores;

/// <summary>Restores machines onto hosts of kind <c>Folder</c>.</summary>
/// <remarks>Thread-safe. Nothing is written but below the folders that the operator has allowed.</remarks>
public sealed class FolderRestorer(IFolderHosts hosts, AllowedRoots roots, FolderFabric fabric, TimeProvider time, ILogger<FolderRestorer> log) : IMachineRestorer
{
    /// <inheritdoc/>
    /// <remarks>The host is the source's own where it is in the wanted group, else the first of the group by id, in the source's location.</remarks>
    public async Task<IMachineRestore> CreateAsync(NewMachine machine, HostRun run, CancellationToken cancellationToken)
    {
        if (!ResourceNames.IsMachine(machine.Name)) throw new MachineException(MachineProblem.NotWritable, $"'{machine.Name}' is not a valid name of a virtual machine.");
        var host = (await hosts.ListAsync(machine.SubscriptionId, cancellationToken))
            .Where(h => Same(h.ResourceGroup, machine.ResourceGroup) && Same(h.Location, machine.Source.Location))
            .OrderBy(h => Same(h.Id, machine.Source.HostId) ? 0 : 1).ThenBy(h => h.Id, StringComparer.OrdinalIgnoreCase).FirstOrDefault()
            ?? throw new MachineException(MachineProblem.NoHost, $"Resource group '{machine.ResourceGroup}' has no host in '{machine.Source.Location}' that could take the machine.");
        if (await fabric.FindFolderAsync(machine.SubscriptionId, machine.ResourceGroup, machine.Name, cancellationToken) is { } there)
        {
            return RestoreMarker.Find(there.Folder)?.JobId == run.JobId
                ? CommittedRestore.Instance
                : throw new MachineException(MachineProblem.NameTaken, $"Resource group '{machine.ResourceGroup}' has a virtual machine '{machine.Name}' already.");
        }

        return Writing(() => new FolderCreation(machine, RealFolder(host.Path), run, time), $"The folder of host '{host.Id}' cannot be written by the server.");
    }

    /// <inheritdoc/>
    public async Task<IMachineRestore> ReplaceAsync(VirtualMachine machine, HostRun run, CancellationToken cancellationToken)
    {
        var found = await fabric.FindFolderAsync(machine.SubscriptionId, machine.ResourceGroup, machine.Name, cancellationToken)
            ?? throw new MachineException(MachineProblem.NotFound, $"Virtual machine '{machine.Name}' is not on its host any more.");
        var parent = Writing(() => RealFolder(Path.GetDirectoryName(found.Folder)!), $"The folder of '{machine.Name}' lies where the server may not write.");
        if (RestoreMarker.Find(found.Folder) is { } marker && marker.JobId == run.JobId)
        {
            foreach (var old in RestoreStage.Find(parent).Where(stage => stage.JobId == run.JobId).ToList()) RestoreStage.Finish(old.Path, found.Folder, marker);
            return CommittedRestore.Instance;
        }

        return Writing(() => FolderReplacement.Begin(found, run, time, log), $"The folder of '{machine.Name}' cannot be written by the server.");
    }

    /// <inheritdoc/>
    public async Task SweepAsync(string subscriptionId, CancellationToken cancellationToken)
    {
        var machines = await fabric.ScanAsync(subscriptionId, null, null, cancellationToken);
        var parents = (await hosts.ListAsync(subscriptionId, cancellationToken)).Select(host => host.Path).Concat(machines.Select(machine => Path.GetDirectoryName(machine.Folder)!));
        foreach (var parent in parents.Distinct(StringComparer.Ordinal))
        {
            try
            {
                Sweep(RealFolder(parent), machines);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                log.LogWarning(exception, "What restores may have left in '{Folder}' could not be removed", parent);
            }
        }
    }

    private static void Sweep(string parent, IReadOnlyList<FolderMachine> machines)
    {
        foreach (var stage in RestoreStage.Find(parent).ToList())
        {
            var restored = machines.Select(machine => (machine.Folder, Marker: RestoreMarker.Find(machine.Folder))).FirstOrDefault(m => m.Marker?.JobId == stage.JobId);
            if (restored.Marker is { } marker) RestoreStage.Finish(stage.Path, restored.Folder, marker);
            else Directory.Delete(stage.Path, recursive: true);
        }
    }

    /// <exception cref="PathRefusedException">It is not below a folder that is allowed.</exception>
    private string RealFolder(string path)
    {
        using var folder = roots.OpenFolder(path);
        return folder.RealPath;
    }

    private static T Writing<T>(Func<T> begin, string message)
    {
        try
        {
            return begin();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MachineException(MachineProblem.NotWritable, message, exception);
        }
    }

    private static bool Same(string left, string right) => left.Equals(right, StringComparison.OrdinalIgnoreCase);
}
