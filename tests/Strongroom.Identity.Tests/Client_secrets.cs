using Strongroom.Identity.Principals;

namespace Strongroom.Identity.Tests;

/// <summary>Secrets that people hand to <c>az login -p</c>.</summary>
public sealed class Client_secrets
{
    [Fact]
    public void No_secret_looks_like_an_option_or_needs_quotes()
    {
        var secrets = Enumerable.Range(0, 500).Select(_ => ClientSecrets.New()).ToList();

        Assert.Equal(secrets.Count, secrets.Distinct().Count());
        Assert.All(secrets, secret => Assert.Matches("^[A-Za-z0-9]{43}$", secret));
    }
}
