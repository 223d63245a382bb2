using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Strongroom.Architecture.Tests;

public sealed partial class PackageVersionTests
{
    public static TheoryData<string> NodeFolders =>
        [.. Directory.EnumerateDirectories(Path.Combine(SourceTree.Root, "tests"), "node", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1 })];

    [Fact]
    public void Every_central_package_version_is_exact()
    {
        var versions = XDocument.Load(Path.Combine(SourceTree.Root, "Directory.Packages.props"))
            .Descendants("PackageVersion")
            .Select(package => (Id: package.Attribute("Include")!.Value, Version: package.Attribute("Version")!.Value))
            .ToList();
        Assert.NotEmpty(versions);
        Assert.All(versions, package => Assert.True(IsExact(package.Version), $"{package.Id} has the version {package.Version}"));
    }

    [Fact]
    public void No_project_states_a_package_version_of_its_own() =>
        Assert.Empty(SourceTree.Projects
            .SelectMany(project => project.Packages.Where(use => use.Version is not null).Select(use => $"{project.Name}: {use.Id} {use.Version}")));

    [Theory]
    [MemberData(nameof(NodeFolders))]
    public void Every_node_package_version_is_exact(string folder)
    {
        var dependencies = Read(folder, "package.json")["dependencies"]!.AsObject();
        Assert.NotEmpty(dependencies);
        Assert.All(dependencies, package => Assert.True(IsExact(package.Value!.GetValue<string>()), $"{package.Key} has the version {package.Value}"));
    }

    [Theory]
    [MemberData(nameof(NodeFolders))]
    public void The_node_lock_file_names_no_place_to_download_from(string folder)
    {
        var packages = Read(folder, "package-lock.json")["packages"]!.AsObject();
        Assert.True(packages.Count > 3);
        Assert.Empty(packages.Where(package => package.Value!["resolved"] is not null).Select(package => package.Key));
    }

    [Theory]
    [InlineData("1.2.3", true)]
    [InlineData("4.0.102.2", true)]
    [InlineData("1.0.0-beta.1", true)]
    [InlineData("1.*", false)]
    [InlineData("[1.0,2.0)", false)]
    [InlineData("^1.2.3", false)]
    [InlineData("latest", false)]
    public void An_exact_version_is_told_from_a_range(string version, bool exact) => Assert.Equal(exact, IsExact(version));

    private static JsonNode Read(string folder, string file) => JsonNode.Parse(File.ReadAllText(Path.Combine(folder, file)))!;

    private static bool IsExact(string version) => Exact().IsMatch(version);

    [GeneratedRegex(@"^\d+\.\d+\.\d+(\.\d+)?(-[0-9A-Za-z.]+)?$")]
    private static partial Regex Exact();
}
