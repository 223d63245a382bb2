using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Strongroom.Backup.Machines;

namespace Strongroom.Workloads.VirtualMachines.Folder;

/// <summary>Hosts of kind <c>Folder</c>: virtual machines as disk images at rest in folders of this server.</summary>
/// <remarks>Thread-safe; holds nothing but what it has warned of already.</remarks>
public sealed class FolderFabric(IFolderHosts hosts, AllowedRoots roots, ILogger<FolderFabric> log) : IMachineFabric
{
    private const int MostWarnings = 10_000;

    // A listing runs at every look at the machines: each warning is logged once.
    private readonly ConcurrentDictionary<string, bool> _warned = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<VirtualMachine>> ListAsync(string subscriptionId, string? resourceGroup, CancellationToken cancellationToken) =>
        [.. (await ScanAsync(subscriptionId, resourceGroup, null, cancellationToken)).Select(found => found.Machine)];

    /// <inheritdoc/>
    public async Task<VirtualMachine?> FindAsync(string subscriptionId, string resourceGroup, string name, CancellationToken cancellationToken) =>
        (await FindFolderAsync(subscriptionId, resourceGroup, name, cancellationToken))?.Machine;

    /// <inheritdoc/>
    /// <remarks>Looks at the machine anew: what it was when it was listed does not count.</remarks>
    public async Task<IMachineSnapshot> SnapshotAsync(VirtualMachine machine, MachineSnapshotRequest request, CancellationToken cancellationToken)
    {
        var found = await FindFolderAsync(machine.SubscriptionId, machine.ResourceGroup, machine.Name, cancellationToken);
        if (found is null || !found.Machine.HostId.Equals(machine.HostId, StringComparison.OrdinalIgnoreCase))
            throw new MachineException(MachineProblem.NotFound, $"Virtual machine '{machine.Name}' is not on its host any more.");
        if (found.Machine.Problem is { } problem)
            throw new MachineException(found.ProblemKind, problem);
        return FolderSnapshot.Take(found, roots);
    }

    /// <inheritdoc/>
    /// <remarks>A folder keeps nothing for a backup.</remarks>
    public Task ForgetAsync(VirtualMachine machine, Guid itemKey, CancellationToken cancellationToken) => Task.CompletedTask;

    internal async Task<FolderMachine?> FindFolderAsync(string subscriptionId, string resourceGroup, string name, CancellationToken cancellationToken) =>
        (await ScanAsync(subscriptionId, resourceGroup, name, cancellationToken)).Find(found => found.Machine.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    internal async Task<List<FolderMachine>> ScanAsync(string subscriptionId, string? resourceGroup, string? onlyName, CancellationToken cancellationToken)
    {
        var wanted = (await hosts.ListAsync(subscriptionId, cancellationToken))
            .Where(host => resourceGroup is null || host.ResourceGroup.Equals(resourceGroup, StringComparison.OrdinalIgnoreCase))
            .OrderBy(host => host.Id, StringComparer.OrdinalIgnoreCase);
        // File system calls block; they are not for the caller's thread.
        return await Task.Run(() => ScanAsync(wanted, onlyName, cancellationToken), cancellationToken);
    }

    private async Task<List<FolderMachine>> ScanAsync(IEnumerable<FolderHost> wanted, string? onlyName, CancellationToken cancellationToken)
    {
        var machines = new List<FolderMachine>();
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var host in wanted)
        {
            try
            {
                foreach (var found in await new FolderScan(host, onlyName, roots, WarnOnce).RunAsync(cancellationToken))
                {
                    if (names.Add(found.Machine.ResourceId))
                        machines.Add(found);
                    else
                        WarnOnce($"A machine of host '{host.Id}' is left out: its resource group has another one named '{found.Machine.Name}'.");
                }
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                WarnOnce($"Host '{host.Id}' is left out: {exception.Message}");
            }
        }

        return machines;
    }

    private void WarnOnce(string text)
    {
        if (_warned.Count < MostWarnings && _warned.TryAdd(text, true))
            log.LogWarning("{Warning}", text);
    }
}
