using Strongroom.Backup.FileRecovery;

namespace Strongroom.Backup.Tests.FileRecovery;

public sealed class ScriptNameTests
{
    [Theory]
    [InlineData("web1", "web1")]
    [InlineData("Größe_1/..\\x", "Gr--e-1-..-x")]
    [InlineData("../../etc", "etc")]
    [InlineData("___", "vm")]
    [InlineData("a b\nc\"d", "a-b-c-d")]
    public void A_name_is_made_fit_for_a_file(string name, string expected) => Assert.Equal(expected, ScriptNames.FileName(name));

    [Fact]
    public void A_long_name_is_cut() => Assert.Equal(60, ScriptNames.FileName(new string('x', 300)).Length);
}
