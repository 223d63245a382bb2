using Strongroom.Backup.Machines;

namespace Strongroom.Workloads.VirtualMachines;

/// <summary>One kind of host: how its machines are found and read, and how they are restored.</summary>
/// <param name="Booter">How its machines run from the vault; null: they cannot.</param>
/// <param name="Disks">How it gets disks without a machine; null: it cannot.</param>
public sealed record HostKind(string Name, IMachineFabric Fabric, IMachineRestorer Restorer, IInstantBooter? Booter = null, IDiskRestorer? Disks = null);

/// <summary>The hosts of all kinds as one.</summary>
/// <remarks>Thread-safe. Where two kinds have a machine of one name in one resource group, that of the earlier kind counts.</remarks>
public sealed class AllHosts(IEnumerable<HostKind> kinds) : IMachineFabric, IMachineRestorer, IDiskRestorer, IInstantBooter
{
    private readonly HostKind[] _kinds = [.. kinds];

    /// <inheritdoc/>
    public async Task<IReadOnlyList<VirtualMachine>> ListAsync(string subscriptionId, string? resourceGroup, CancellationToken cancellationToken)
    {
        var found = await Task.WhenAll(_kinds.Select(kind => kind.Fabric.ListAsync(subscriptionId, resourceGroup, cancellationToken)));
        return [.. found.SelectMany(machines => machines).DistinctBy(machine => machine.ResourceId, StringComparer.OrdinalIgnoreCase)];
    }

    /// <inheritdoc/>
    public async Task<VirtualMachine?> FindAsync(string subscriptionId, string resourceGroup, string name, CancellationToken cancellationToken)
    {
        foreach (var kind in _kinds)
        {
            if (await kind.Fabric.FindAsync(subscriptionId, resourceGroup, name, cancellationToken) is { } machine) return machine;
        }

        return null;
    }

    /// <inheritdoc/>
    public async Task<VirtualMachine?> FindProtectedAsync(MachineId id, VirtualMachine? before, CancellationToken cancellationToken)
    {
        foreach (var kind in _kinds)
        {
            if (await kind.Fabric.FindProtectedAsync(id, before, cancellationToken) is { } machine) return machine;
        }

        return null;
    }

    /// <inheritdoc/>
    public Task<IMachineSnapshot> SnapshotAsync(VirtualMachine machine, MachineSnapshotRequest request, CancellationToken cancellationToken) =>
        KindOf(machine).Fabric.SnapshotAsync(machine, request, cancellationToken);

    /// <inheritdoc/>
    public Task ForgetAsync(VirtualMachine machine, Guid itemKey, CancellationToken cancellationToken) => KindOf(machine).Fabric.ForgetAsync(machine, itemKey, cancellationToken);

    /// <inheritdoc/>
    public Task EndBackupAsync(VirtualMachine machine, Guid itemKey, string? tracking, bool mayBeFrozen, CancellationToken cancellationToken) =>
        KindOf(machine).Fabric.EndBackupAsync(machine, itemKey, tracking, mayBeFrozen, cancellationToken);

    /// <inheritdoc/>
    /// <remarks>On a host of the source's kind, if the resource group has one; else on one of another kind.</remarks>
    public Task<IMachineRestore> CreateAsync(NewMachine machine, HostRun run, CancellationToken cancellationToken) =>
        FirstAsync(_kinds, machine, kind => kind.Restorer.CreateAsync(machine, run, cancellationToken));

    /// <inheritdoc/>
    /// <remarks>As <see cref="CreateAsync"/>, among the kinds whose machines can run from the vault.</remarks>
    async Task<IInstantBoot> IInstantBooter.BeginAsync(NewMachine machine, HostRun run, CancellationToken cancellationToken) =>
        await FirstAsync(_kinds.Where(kind => kind.Booter is not null), machine, kind => kind.Booter!.BeginAsync(machine, run, cancellationToken));

    /// <inheritdoc/>
    public async Task<IDiskRestore?> CreateDisksAsync(NewDisks disks, HostRun run, CancellationToken cancellationToken)
    {
        foreach (var kind in _kinds)
        {
            if (kind.Disks is { } restorer && await restorer.CreateDisksAsync(disks, run, cancellationToken) is { } restore) return restore;
        }

        return null;
    }

    /// <inheritdoc/>
    public Task<IMachineRestore> ReplaceAsync(VirtualMachine machine, HostRun run, CancellationToken cancellationToken) =>
        KindOf(machine).Restorer.ReplaceAsync(machine, run, cancellationToken);

    /// <inheritdoc/>
    public async Task SweepAsync(string subscriptionId, CancellationToken cancellationToken)
    {
        foreach (var kind in _kinds) await kind.Restorer.SweepAsync(subscriptionId, cancellationToken);
    }

    private static async Task<T> FirstAsync<T>(IEnumerable<HostKind> kinds, NewMachine machine, Func<HostKind, Task<T>> begin)
    {
        MachineException? noHost = null;
        foreach (var kind in kinds.OrderBy(kind => kind.Name == machine.Source.HostKind ? 0 : 1))
        {
            try
            {
                return await begin(kind);
            }
            catch (MachineException exception) when (exception.Problem == MachineProblem.NoHost)
            {
                noHost ??= exception;
            }
        }

        throw noHost ?? new MachineException(MachineProblem.NoHost, $"Resource group '{machine.ResourceGroup}' has no host that could take the machine.");
    }

    private HostKind KindOf(VirtualMachine machine) =>
        _kinds.FirstOrDefault(kind => kind.Name == machine.HostKind) ?? throw new MachineException(MachineProblem.NotFound, $"There is no host of kind {machine.HostKind} any more.");
}
