using System.Text.Json.Nodes;

namespace Strongroom.Arm.Tests.Resources;

public sealed class ResourceTagsTests
{
    [Fact]
    public void Tags_are_read_and_found_without_case()
    {
        IReadOnlyDictionary<string, string> tags = ResourceTags.Read(new JsonObject { ["tags"] = new JsonObject { ["Env"] = "lab", ["empty"] = null } });
        Assert.Equal("lab", tags["env"]);
        Assert.Equal("", tags["empty"]);
        Assert.Equal("{\"Env\":\"lab\",\"empty\":\"\"}", ResourceTags.ToJson(tags).ToJsonString());
    }

    [Fact]
    public void No_tags_are_no_tags()
    {
        Assert.Empty(ResourceTags.Read([]));
        Assert.Empty(ResourceTags.Read(new JsonObject { ["tags"] = null }));
    }

    public static TheoryData<string, string> Faults => new()
    {
        { "{\"a<b\":\"x\"}", "InvalidTagNameCharacters" },
        { "{\"a\\u0001\":\"x\"}", "InvalidTagNameCharacters" },
        { "{\"\":\"x\"}", "InvalidTagNameLength" },
        { $"{{\"{new string('n', 513)}\":\"x\"}}", "InvalidTagNameLength" },
        { $"{{\"a\":\"{new string('v', 257)}\"}}", "InvalidTagValueLength" },
        { "{\"a\":\"x\",\"A\":\"y\"}", "DuplicateTagName" },
        { "{\"a\":1}", "InvalidRequestContent" },
        { "{\"a\":{}}", "InvalidRequestContent" },
        { "[]", "InvalidRequestContent" },
        { "\"x\"", "InvalidRequestContent" },
        { "{" + string.Join(',', Enumerable.Range(0, 51).Select(i => $"\"t{i}\":\"\"")) + "}", "TooManyTags" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void The_limits_are_Azures(string tags, string code) =>
        Assert.Equal(code, Assert.Throws<ArmException>(() => ResourceTags.Read(new JsonObject { ["tags"] = JsonNode.Parse(tags) })).Code);
}
