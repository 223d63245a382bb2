using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Workloads.FileShares.Smb;

namespace Strongroom.Workloads.Tests.FileShares.Smb;

public sealed class SmbFileServerValidatorTests : ISmbFileServers
{
    [Fact]
    public void What_is_allowed_is_kept_and_nothing_else()
    {
        var accepted = Accept("""{"kind": "Smb", "server": "NAS1.example", "credentials": "nas1", "password": "p", "shares": [{"name": "books"}, {"name": "old", "nameOnServer": "Books of 2020$"}]}""");
        Assert.Equal("""{"server":"nas1.example","credentials":"nas1","shares":[{"name":"books","nameOnServer":"books"},{"name":"old","nameOnServer":"Books of 2020$"}]}""", accepted.ToJsonString());
        Assert.Equal("""{"server":"10.0.0.7","credentials":"nas1"}""", Accept("""{"server": "10.0.0.7", "credentials": "nas1", "shares": []}""").ToJsonString());
    }

    [Theory]
    [InlineData("FileServerNotAllowed", """{"server": "nas2.example", "credentials": "nas1"}""")]
    [InlineData("FileServerNotAllowed", """{"server": "nas1.example/share", "credentials": "nas1"}""")]
    [InlineData("FileServerCredentialsNotFound", """{"server": "nas1.example", "credentials": "nas2"}""")]
    [InlineData("InvalidShareName", """{"server": "nas1.example", "credentials": "nas1", "shares": [{"name": "a b"}]}""")]
    [InlineData("InvalidShareName", """{"server": "nas1.example", "credentials": "nas1", "shares": [{"name": "a"}, {"name": "A"}]}""")]
    [InlineData("InvalidShareName", """{"server": "nas1.example", "credentials": "nas1", "shares": [{"name": "a", "nameOnServer": "a/../b"}]}""")]
    [InlineData("InvalidShareName", """{"server": "nas1.example", "credentials": "nas1", "shares": [{"name": "a", "nameOnServer": ".."}]}""")]
    [InlineData("InvalidShareName", """{"server": "nas1.example", "credentials": "nas1", "shares": [{"name": "a", "nameOnServer": "c$"}]}""")]
    [InlineData("InvalidShareName", """{"server": "nas1.example", "credentials": "nas1", "shares": [{"name": "a", "nameOnServer": "Admin$"}]}""")]
    [InlineData("InvalidRequestContent", """{"server": "nas1.example", "credentials": "nas1", "shares": ["a"]}""")]
    [InlineData("InvalidRequestContent", """{"server": "nas1.example"}""")]
    [InlineData("InvalidRequestContent", """{"credentials": "nas1"}""")]
    public void Anything_else_is_refused(string code, string properties) => Assert.Equal(code, Assert.Throws<ArmException>(() => Accept(properties)).Code);

    [Theory]
    [InlineData("")]
    [InlineData("smb://nas1")]
    [InlineData("nas1/share")]
    [InlineData("nas1:445")]
    [InlineData("user@nas1")]
    public void The_operator_names_hosts(string host) => Assert.Contains("--allow-smb", Assert.Throws<ArgumentException>(() => new AllowedSmbServers([host])).Message, StringComparison.Ordinal);

    public Task<IReadOnlyList<SmbFileServer>> ListAsync(string subscriptionId, CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<SmbFileServer>>([]);

    public SmbLogin? FindLogin(string name, string host) => name == "nas1" ? new("backup", "secret") : null;

    private JsonObject Accept(string properties) =>
        new SmbFileServerValidator(new AllowedSmbServers(["nas1.Example", "10.0.0.7"]), this).Accept((JsonObject)JsonNode.Parse(properties)!);
}
