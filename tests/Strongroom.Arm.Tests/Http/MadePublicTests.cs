using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Strongroom.Arm.Tests.Http;

/// <summary>What URLs begin with when the operator said what clients use.</summary>
public sealed class MadePublicTests
{
    [Theory]
    [InlineData(null, "https://evil.example:1234/a/b")]
    [InlineData("https://backup.example:8443", "https://backup.example:8443/a/b")]
    public void A_url_begins_with_the_public_address_whatever_host_the_request_brought(string? publicUrl, string expected)
    {
        var options = new ArmOptions { TenantId = Guid.NewGuid().ToString(), Subscriptions = [], PublicUrl = publicUrl is null ? null : new Uri(publicUrl) };
        using ServiceProvider services = new ServiceCollection().AddSingleton(options).BuildServiceProvider();
        var context = new DefaultHttpContext { RequestServices = services };
        context.Request.Scheme = "https";
        context.Request.Host = new HostString("evil.example", 1234);
        Assert.Equal(expected, PublicUrl.For(context.Request, "/a/b"));
    }
}
