namespace Strongroom.Backup.Machines;

/// <summary>The door to a host's state: whether it answers. For kinds of hosts that are reached through a connection.</summary>
/// <remarks>Thread-safe. It may take as long as the host does; callers have limits of their own.</remarks>
public interface IHostProbe
{
    /// <summary>The kind of hosts that it knows, such as <c>Libvirt</c>.</summary>
    string Kind { get; }

    /// <summary>Returns when the host has answered.</summary>
    /// <param name="subscriptionId">The host's.</param>
    /// <param name="hostId">ARM id of the <c>Strongroom.Fabric/hosts</c> resource.</param>
    /// <returns>What backups will miss on a host that answers, in one sentence; null: nothing that could be seen.</returns>
    /// <exception cref="MachineException">It does not answer, or refuses.</exception>
    Task<string?> ProbeAsync(string subscriptionId, string hostId, CancellationToken cancellationToken);
}
