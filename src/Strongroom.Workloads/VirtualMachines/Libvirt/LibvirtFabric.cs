using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt.Live;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;
using Strongroom.Workloads.VirtualMachines.Libvirt.Remote;
using Strongroom.Workloads.VirtualMachines.Libvirt.Stopped;

namespace Strongroom.Workloads.VirtualMachines.Libvirt;

/// <summary>Hosts of kind <c>Libvirt</c>: the domains of a host's libvirt, running or not.</summary>
/// <remarks>Thread-safe.</remarks>
public sealed class LibvirtFabric : IMachineFabric, IHostProbe, IDisposable
{
    /// <summary>The kind's name.</summary>
    public const string Kind = "Libvirt";

    private const int MostWarnings = 10_000;

    /// <summary>A host that does not answer keeps a listing waiting no longer than this.</summary>
    private static readonly TimeSpan ListLimit = TimeSpan.FromSeconds(15);

    private readonly ILibvirtHosts _hosts;
    private readonly LibvirtConnections _connections;
    private readonly FreezeGuardOptions _guard;
    private readonly OwedCleanUps _owed;
    private readonly ILogger<LibvirtFabric> _log;
    private readonly ConcurrentDictionary<string, bool> _warned = new(StringComparer.Ordinal);

    public LibvirtFabric(ILibvirtHosts hosts, FreezeGuardOptions guard, TimeProvider time, ILogger<LibvirtFabric> log)
        : this(hosts, guard, time, log, new())
    {
    }

    internal LibvirtFabric(ILibvirtHosts hosts, FreezeGuardOptions guard, TimeProvider time, ILogger<LibvirtFabric> log, ConnectionLimits limits)
    {
        _hosts = hosts;
        _connections = new(hosts, limits);
        _guard = guard;
        _owed = new(TimeSpan.FromSeconds(1), time, log);
        _log = log;
    }

    internal LibvirtConnections Connections => _connections;

    /// <summary>What hosts that did not answer have yet to be rid of.</summary>
    internal OwedCleanUps Owed => _owed;

    /// <summary>Where disks of machines of remote hosts are served.</summary>
    internal BackupPorts Ports { get; init; } = BackupPorts.Standard();

    string IHostProbe.Kind => Kind;

    /// <inheritdoc/>
    public async Task<string?> ProbeAsync(string subscriptionId, string hostId, CancellationToken cancellationToken)
    {
        var host = (await _hosts.ListAsync(subscriptionId, cancellationToken)).FirstOrDefault(host => host.Id.Equals(hostId, StringComparison.OrdinalIgnoreCase))
            ?? throw new MachineException(MachineProblem.HostUnreachable, "The operator of the server does not allow this host, its scratchPath or its credentials any more.");
        await _connections.UseAsync(host, connection => connection.ListNetworks(), cancellationToken);
        return host.IsLocal && !Directory.Exists(host.ScratchPath) ? $"The host's scratchPath '{host.ScratchPath}' does not exist; machines that run cannot be backed up." : null;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<VirtualMachine>> ListAsync(string subscriptionId, string? resourceGroup, CancellationToken cancellationToken)
    {
        var found = await Task.WhenAll((await HostsAsync(subscriptionId, resourceGroup, cancellationToken)).Select(host => TryListAsync(host, cancellationToken)));
        return [.. NamedMachines.Distinct(found.SelectMany(machines => machines ?? []).Select(found => found.Machine))];
    }

    /// <inheritdoc/>
    /// <exception cref="MachineException">No host that answers has it, and another does not answer.</exception>
    public async Task<VirtualMachine?> FindAsync(string subscriptionId, string resourceGroup, string name, CancellationToken cancellationToken) =>
        (await AskAsync(subscriptionId, resourceGroup, name, cancellationToken)).First;

    /// <inheritdoc/>
    public async Task<VirtualMachine?> FindProtectedAsync(MachineId id, VirtualMachine? before, CancellationToken cancellationToken) =>
        (await AskAsync(id.SubscriptionId, id.ResourceGroup, id.Name, cancellationToken)).Protected(before);

    /// <inheritdoc/>
    public async Task<IMachineSnapshot> SnapshotAsync(VirtualMachine machine, MachineSnapshotRequest request, CancellationToken cancellationToken)
    {
        await _owed.StopAsync(request.ItemKey);
        var found = await FindAsync(machine, cancellationToken) ?? throw new MachineException(MachineProblem.NotFound, $"Virtual machine '{machine.Name}' is not on its host any more.");
        found = KnownDisks.Renumber(found, request.Previous);
        if (found.Machine.Problem is { } problem) throw new MachineException(MachineProblem.DiskUnreadable, problem);
        var isActive = await _connections.UseAsync(found.Host, connection =>
        {
            using var domain = connection.FindDomain(machine.VmId);
            return domain?.IsActive;
        }, cancellationToken);
        return isActive switch
        {
            null => throw new MachineException(MachineProblem.NotFound, $"Virtual machine '{machine.Name}' is not on its host any more."),
            true => await TakeLiveAsync(found, request, cancellationToken),
            false => await StoppedSnapshot.TakeAsync(found, request, _connections, cancellationToken),
        };
    }

    /// <inheritdoc/>
    public async Task ForgetAsync(VirtualMachine machine, Guid itemKey, CancellationToken cancellationToken)
    {
        await _owed.StopAsync(itemKey);
        if (await FindHostAsync(machine, cancellationToken) is not { } host) return;
        await _connections.UseAsync(host, connection =>
        {
            using var domain = connection.FindDomain(machine.VmId);
            if (domain is null) return;
            new HostTraces(connection, domain, host, itemKey, _log).Remove(keep: null);
            if (!domain.IsActive) StoredCheckpoints.Remove(domain, host, itemKey, _log);
        }, cancellationToken);
    }

    /// <inheritdoc/>
    /// <remarks>On a host that does not answer it is done when it does.</remarks>
    public Task EndBackupAsync(VirtualMachine machine, Guid itemKey, string? tracking, bool mayBeFrozen, CancellationToken cancellationToken) =>
        CleanUpOf(machine, itemKey).RemoveAsync(tracking, tries: 1, mayBeFrozen);

    public void Dispose()
    {
        _owed.Dispose();
        _connections.Dispose();
    }

    /// <summary>The machine by its own id: its name may have changed.</summary>
    internal async Task<LibvirtMachine?> FindAsync(VirtualMachine machine, CancellationToken cancellationToken)
    {
        var host = await FindHostAsync(machine, cancellationToken);
        return host is null ? null : await FindAsync(host, connection => connection.FindDomain(machine.VmId), cancellationToken);
    }

    private async Task<LibvirtHost?> FindHostAsync(VirtualMachine machine, CancellationToken cancellationToken) =>
        (await _hosts.ListAsync(machine.SubscriptionId, cancellationToken)).FirstOrDefault(host => host.Id.Equals(machine.HostId, StringComparison.OrdinalIgnoreCase));

    private async Task<IMachineSnapshot> TakeLiveAsync(LibvirtMachine found, MachineSnapshotRequest request, CancellationToken cancellationToken)
    {
        var cleanUp = CleanUpOf(found.Machine, request.ItemKey);
        try
        {
            return await LiveSnapshot.TakeAsync(found, request, _connections, _guard, Ports, cleanUp, _log, cancellationToken);
        }
        catch (MachineException exception) when (exception.Problem == MachineProblem.HostUnreachable)
        {
            // The backup may have begun, or may still do so.
            await cleanUp.RemoveAsync(request.ParentTracking, tries: 1);
            throw;
        }
    }

    private SnapshotCleanUp CleanUpOf(VirtualMachine machine, Guid itemKey) => new(_owed, itemKey, use => UseTracesAsync(machine, itemKey, use, CancellationToken.None));

    private async Task UseTracesAsync(VirtualMachine machine, Guid itemKey, Action<HostTraces> use, CancellationToken cancellationToken)
    {
        if (await FindHostAsync(machine, cancellationToken) is not { } host) return;
        await _connections.UseAsync(host, connection =>
        {
            using var domain = connection.FindDomain(machine.VmId);
            if (domain is not null) use(new(connection, domain, host, itemKey, _log));
        }, cancellationToken);
    }

    private async Task<NamedMachines> AskAsync(string subscriptionId, string resourceGroup, string name, CancellationToken cancellationToken)
    {
        var answers = await Task.WhenAll((await HostsAsync(subscriptionId, resourceGroup, cancellationToken)).Select(host => AskAsync(host, name, cancellationToken)));
        return new([.. answers.Select(answer => answer.Found).OfType<VirtualMachine>()], answers.Select(answer => answer.Silent).FirstOrDefault(silent => silent is not null));
    }

    private async Task<(VirtualMachine? Found, MachineException? Silent)> AskAsync(LibvirtHost host, string name, CancellationToken cancellationToken)
    {
        try
        {
            return ((await FindAsync(host, connection => connection.FindDomain(name), cancellationToken))?.Machine, null);
        }
        catch (MachineException exception) when (exception.Problem is MachineProblem.HostUnreachable or MachineProblem.ToolMissing)
        {
            return (null, exception);
        }
    }

    private Task<LibvirtMachine?> FindAsync(LibvirtHost host, Func<LibvirtConnection, LibvirtDomain?> find, CancellationToken cancellationToken) => _connections.UseAsync(host, connection =>
    {
        using var domain = find(connection);
        return domain is null ? null : LibvirtMachines.Look(domain, host, WarnOnce);
    }, cancellationToken);

    private async Task<IReadOnlyList<LibvirtMachine>?> TryListAsync(LibvirtHost host, CancellationToken cancellationToken)
    {
        try
        {
            return await _connections.UseAsync(host, connection => LibvirtMachines.List(connection, host, WarnOnce), cancellationToken).WaitAsync(ListLimit, cancellationToken);
        }
        catch (Exception exception) when (exception is MachineException or TimeoutException)
        {
            WarnOnce($"Host '{host.Id}' is left out: {exception.Message}");
            return null;
        }
    }

    private async Task<IReadOnlyList<LibvirtHost>> HostsAsync(string subscriptionId, string? resourceGroup, CancellationToken cancellationToken) =>
        [.. (await _hosts.ListAsync(subscriptionId, cancellationToken))
            .Where(host => resourceGroup is null || host.ResourceGroup.Equals(resourceGroup, StringComparison.OrdinalIgnoreCase))
            .OrderBy(host => host.Id, StringComparer.OrdinalIgnoreCase)];

    private void WarnOnce(string text)
    {
        if (_warned.Count < MostWarnings && _warned.TryAdd(text, true))
            _log.LogWarning("{Warning}", text);
    }
}
