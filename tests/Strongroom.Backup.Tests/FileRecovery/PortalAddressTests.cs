using Strongroom.Backup.FileRecovery;

namespace Strongroom.Backup.Tests.FileRecovery;

public sealed class PortalAddressTests
{
    [Theory]
    [InlineData("backup.example", "backup.example", null)]
    [InlineData("backup.example:443", "backup.example", 443)]
    [InlineData("10.0.0.1:65535", "10.0.0.1", 65535)]
    [InlineData("[2001:db8::1]", "2001:db8::1", null)]
    [InlineData("[2001:db8::1]:8443", "2001:db8::1", 8443)]
    [InlineData("bücher.example", "xn--bcher-kva.example", null)]
    public void A_host_and_perhaps_a_port(string text, string host, int? port)
    {
        Assert.True(PortalAddress.TryParse(text, out var address));
        Assert.Equal(new PortalAddress(host, port), address);
    }

    [Theory]
    [InlineData("")]
    [InlineData(":443")]
    [InlineData("a b")]
    [InlineData("backup.example/path")]
    [InlineData("user@backup.example")]
    [InlineData("backup.example:0")]
    [InlineData("backup.example:65536")]
    [InlineData("backup.example:x")]
    [InlineData("2001:db8::1")]
    [InlineData("a\"b")]
    public void Anything_else_is_none(string text) => Assert.False(PortalAddress.TryParse(text, out _));
}
