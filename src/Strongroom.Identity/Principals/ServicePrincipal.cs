namespace Strongroom.Identity.Principals;

/// <summary>An application that may sign in with a secret. Immutable.</summary>
/// <param name="ClientId">The application id: what clients send as <c>client_id</c> and tokens carry as <c>appid</c>.</param>
/// <param name="ObjectId">The principal's own id: <c>oid</c> and <c>sub</c> of its tokens.</param>
/// <param name="DisplayName">For people; on no security decision.</param>
/// <param name="Secrets">Every secret that is valid now; more than one while a secret is being exchanged.</param>
public sealed record ServicePrincipal(Guid ClientId, Guid ObjectId, string DisplayName, IReadOnlyList<SecretHash> Secrets)
{
    /// <summary>Whether <paramref name="secret"/> is one of the principal's secrets. Takes equally long for every wrong one.</summary>
    public bool Accepts(string secret)
    {
        var accepted = false;
        foreach (var hash in Secrets)
            accepted |= hash.Matches(secret);
        return accepted;
    }
}
