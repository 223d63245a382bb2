using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Workloads.FileShares;

namespace Strongroom.Workloads.Tests.FileShares;

public sealed class LocalFileServerValidatorTests : IAsyncLifetime
{
    private ShareLab _lab = null!;

    public async ValueTask InitializeAsync()
    {
        _lab = await ShareLab.StartAsync();
        Directory.CreateDirectory(Path.Combine(_lab.Root, "a"));
    }

    public ValueTask DisposeAsync() => _lab.DisposeAsync();

    [Theory]
    [InlineData("""{"sharesRoot":"{root}"}""")]
    [InlineData("""{"shares":[{"name":"a","path":"{root}/a"},{"name":"All-of.it_1","path":"{root}"}],"sharesRoot":"{root}"}""")]
    public void What_is_allowed_is_kept(string sent) => Assert.Equal(Fill(sent), Accept(sent).ToJsonString());

    [Fact]
    public void What_the_kind_does_not_know_is_left_out() =>
        Assert.Equal(Fill("""{"shares":[{"name":"a","path":"{root}/a"}]}"""), Accept("""{"shares":[{"name":"a","path":"{root}/a","secret":1}],"other":2,"sharesRoot":null}""").ToJsonString());

    [Theory]
    [InlineData("""{}""", "InvalidRequestContent", "$.properties")]
    [InlineData("""{"shares":[]}""", "InvalidRequestContent", "$.properties")]
    [InlineData("""{"shares":{}}""", "InvalidRequestContent", "$.properties.shares")]
    [InlineData("""{"shares":["a"]}""", "InvalidRequestContent", "$.properties.shares[0]")]
    [InlineData("""{"shares":[{"name":"a"}]}""", "InvalidRequestContent", "$.properties.shares[0].path")]
    [InlineData("""{"shares":[{"path":"{root}"}]}""", "InvalidRequestContent", "$.properties.shares[0].name")]
    [InlineData("""{"shares":[{"name":"a","path":"{root}"},{"name":"A","path":"{root}"}]}""", "InvalidShareName", "$.properties.shares[1]")]
    [InlineData("""{"shares":[{"name":"a/b","path":"{root}"}]}""", "InvalidShareName", "$.properties.shares[0]")]
    [InlineData("""{"shares":[{"name":"..","path":"{root}"}]}""", "InvalidShareName", "$.properties.shares[0]")]
    [InlineData("""{"shares":[{"name":"a","path":"{root}/../outside"}]}""", "SharePathNotAllowed", "$.properties.shares[0].path")]
    [InlineData("""{"shares":[{"name":"a","path":"{root}/none"}]}""", "SharePathNotAllowed", "$.properties.shares[0].path")]
    [InlineData("""{"sharesRoot":"/etc"}""", "SharePathNotAllowed", "$.properties.sharesRoot")]
    [InlineData("""{"sharesRoot":"shares"}""", "SharePathNotAllowed", "$.properties.sharesRoot")]
    [InlineData("""{"sharesRoot":""}""", "SharePathNotAllowed", "$.properties.sharesRoot")]
    public void What_is_not_allowed_is_refused_with_its_place(string sent, string code, string place)
    {
        var refused = Assert.Throws<ArmException>(() => Accept(sent));
        Assert.Equal((400, code), (refused.Status, refused.Code));
        Assert.True(refused.Target == place || refused.Message.Contains(place, StringComparison.Ordinal), $"{refused.Message} {refused.Target}");
    }

    [Fact]
    public void A_link_that_leads_out_is_refused()
    {
        Directory.CreateSymbolicLink(Path.Combine(_lab.Root, "out"), _lab.Outside);
        Assert.Equal("SharePathNotAllowed", Assert.Throws<ArmException>(() => Accept("""{"sharesRoot":"{root}/out"}""")).Code);
    }

    private JsonObject Accept(string sent)
    {
        var properties = (JsonObject)JsonNode.Parse(Fill(sent))!;
        // Where it stands in a request.
        _ = new JsonObject { ["properties"] = properties };
        return new LocalFileServerValidator(_lab.Roots).Accept(properties);
    }

    private string Fill(string text) => text.Replace("{root}", _lab.Root, StringComparison.Ordinal);
}
