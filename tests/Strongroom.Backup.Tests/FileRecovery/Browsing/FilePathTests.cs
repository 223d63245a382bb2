using CsCheck;
using Strongroom.Backup.FileRecovery.Browsing;

namespace Strongroom.Backup.Tests.FileRecovery.Browsing;

/// <summary>Paths of raw bytes.</summary>
public sealed class FilePathTests
{
    [Theory]
    [InlineData("/", "/", "/")]
    [InlineData("/a//b/", "/a/b", "/a/b")]
    [InlineData("/a%2Fb", "/a/b", "/a/b")]
    [InlineData("/caf%c3%a9/%FF%0a", "/caf%C3%A9/%FF%0A", "/café/\uFFFD\n")]
    [InlineData("/plus+space here", "/plus%2Bspace%20here", "/plus+space here")]
    [InlineData("/...", "/...", "/...")]
    public void A_path_is_read_and_written(string text, string encoded, string shown)
    {
        Assert.True(FilePath.TryParse(text, out var path));
        Assert.Equal(encoded, path.Encoded);
        Assert.Equal(shown, path.Text);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("/a/../b")]
    [InlineData("/a/%2e%2E/b")]
    [InlineData("/./a")]
    [InlineData("/a%00")]
    [InlineData("/a%")]
    [InlineData("/a%2")]
    [InlineData("/a%zz")]
    [InlineData("/a%+1")]
    public void What_could_mean_something_else_is_none(string? text) => Assert.False(FilePath.TryParse(text, out _));

    [Fact]
    public void Too_long_ones_are_none()
    {
        Assert.False(FilePath.TryParse("/" + new string('a', FilePath.MaxNameLengthBytes + 1), out _));
        Assert.False(FilePath.TryParse(string.Concat(Enumerable.Repeat("/" + new string('a', 500), 11)), out _));
        var path = FilePath.Root;
        for (var i = 0; i < FilePath.MaxLengthBytes / 10; i++) path = path.Child("abcdefghi"u8.ToArray());
        Assert.Equal(FileBrowsingFault.NotFound, Assert.Throws<FileBrowsingException>(() => { path.Child("abcdefghi"u8.ToArray()); }).Fault);
    }

    [Fact]
    public void Every_name_that_can_be_survives() =>
        Gen.Byte.Array[1, 40].Where(static name => FilePath.IsName(name)).Sample(static name =>
        {
            Assert.True(FilePath.TryParse(FilePath.Root.Child(name).Encoded, out var read));
            return read.Depth == 1 && read.Name.Span.SequenceEqual(name) && read.ToBytes(0).AsSpan(1).SequenceEqual(name);
        });
}
