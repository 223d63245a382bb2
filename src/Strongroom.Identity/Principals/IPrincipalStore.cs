namespace Strongroom.Identity.Principals;

/// <summary>The door to whoever keeps the service principals. Implementations are thread-safe.</summary>
public interface IPrincipalStore
{
    /// <summary>Finds a principal by its application (client) id.</summary>
    /// <param name="clientId">As the client sent it: any text. GUIDs are compared without regard to case.</param>
    /// <param name="cancellationToken">Abandons the look-up; nothing is changed by it.</param>
    /// <returns>The principal, or null when there is none of that id.</returns>
    ValueTask<ServicePrincipal?> FindAsync(string clientId, CancellationToken cancellationToken);
}
