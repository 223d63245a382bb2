namespace Strongroom.Client;

/// <summary>What a client needs to sign in to a server.</summary>
internal interface ISignIn
{
    /// <summary>Where Azure Resource Manager answers, such as <c>https://localhost:41234/</c>.</summary>
    Uri Endpoint { get; }

    string TenantId { get; }

    string ClientId { get; }

    string ClientSecret { get; }
}
