using System.Net;

namespace Strongroom.Identity.Tests;

/// <summary>Whoever tries secrets is slowed down; whoever has the right one is not.</summary>
public sealed class Wrong_secrets(IdentityHost host) : IClassFixture<IdentityHost>
{
    private const string Path = "/adfs/oauth2/token";

    [Fact]
    public async Task After_many_wrong_secrets_a_new_one_waits_and_the_right_one_does_not()
    {
        await host.SignInAsync();
        for (var tries = 0; tries < 10; tries++)
            Assert.Equal(HttpStatusCode.Unauthorized, (await host.PostAsync(Path, Wrong())).Status);

        var (status, body) = await host.PostAsync(Path, Wrong());
        Assert.Equal(HttpStatusCode.TooManyRequests, status);
        Assert.Equal(("invalid_client", 50196), ((string?)body["error"], (int?)body["error_codes"]![0]));
        await host.SignInAsync();

        // Who signed in from there has shown what the address is worth.
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.PostAsync(Path, Wrong())).Status);
    }

    [Fact]
    public async Task Names_that_nobody_has_are_slowed_down_too_and_the_wait_ends()
    {
        var form = host.Form();
        for (var tries = 0; tries < 10; tries++)
        {
            form["client_id"] = $"nobody{tries}";
            Assert.Equal(HttpStatusCode.BadRequest, (await host.PostAsync(Path, form)).Status);
        }

        form["client_id"] = "nobody at all";
        using var content = new FormUrlEncodedContent(form);
        using var answer = await host.Client.PostAsync(Path, content, TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.TooManyRequests, "1"), (answer.StatusCode, answer.Headers.GetValues("Retry-After").Single()));
        host.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(HttpStatusCode.BadRequest, (await host.PostAsync(Path, form)).Status);
    }

    private Dictionary<string, string> Wrong() => new(host.Form()) { ["client_secret"] = "guess" };
}
