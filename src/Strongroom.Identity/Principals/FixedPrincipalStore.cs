using System.Collections.Frozen;

namespace Strongroom.Identity.Principals;

/// <summary>Principals known when the server starts, such as its administrator.</summary>
public sealed class FixedPrincipalStore : IPrincipalStore
{
    private readonly FrozenDictionary<Guid, ServicePrincipal> byClientId;

    /// <exception cref="ArgumentException">Two principals have one client id.</exception>
    public FixedPrincipalStore(IEnumerable<ServicePrincipal> principals)
    {
        byClientId = principals.ToDictionary(principal => principal.ClientId).ToFrozenDictionary();
    }

    /// <inheritdoc/>
    public ValueTask<ServicePrincipal?> FindAsync(string clientId, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(
            Guid.TryParseExact(clientId, "D", out var id) ? byClientId.GetValueOrDefault(id) : null);
    }
}
