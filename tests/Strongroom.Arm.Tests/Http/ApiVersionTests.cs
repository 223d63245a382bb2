namespace Strongroom.Arm.Tests.Http;

public sealed class ApiVersionTests
{
    [Theory]
    [InlineData("2024-04-01")]
    [InlineData("2022-09-01-preview")]
    [InlineData("2022-09-01-Preview")]
    [InlineData("2014-01-01-alpha")]
    [InlineData("2024-02-29")]
    [InlineData("2019-01-01-privatepreview")]
    public void Well_formed_versions_are_accepted_and_kept(string text)
    {
        Assert.True(ApiVersion.TryParse(text, out ApiVersion version));
        Assert.Equal(text, version.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("latest")]
    [InlineData("2024-13-01")]
    [InlineData("2023-02-29")]
    [InlineData("2024-4-1")]
    [InlineData("2024-04-01-")]
    [InlineData("2024-04-01-stable")]
    [InlineData("2024-04-01preview")]
    [InlineData("2024-04-01,2024-04-01")]
    [InlineData(" 2024-04-01")]
    public void Malformed_versions_are_not(string? text) => Assert.False(ApiVersion.TryParse(text, out _));

    [Fact]
    public void Versions_order_by_date_and_a_preview_precedes_its_release()
    {
        string[] ordered = ["2021-12-01", "2022-10-01-preview", "2022-10-01", "2024-04-01"];
        ApiVersion[] versions = [.. ordered.Reverse().Select(t => ApiVersion.TryParse(t, out ApiVersion v) ? v : default).Order()];
        Assert.Equal(ordered, versions.Select(v => v.Text));
        Assert.True(versions[1].IsFrom(2022, 10, 1));
        Assert.False(versions[0].IsFrom(2022, 10, 1));
    }
}
