namespace Strongroom.Architecture.Tests;

public sealed class ProjectReferenceTests
{
    /// <summary>Packages with a wide surface, and the one room that may know each of them.</summary>
    private static readonly (string PackagePrefix, string Room)[] OneRoomPackages =
    [
        ("Microsoft.EntityFrameworkCore", "Strongroom.Metadata"),
        ("Npgsql", "Strongroom.Metadata"),
        ("OpenIddict", "Strongroom.Identity"),
        ("Azure.Storage", "Strongroom.Store.AzureBlob"),
        ("AWSSDK", "Strongroom.Store.S3"),
        ("Zstd", "Strongroom.Store"),
        ("Microsoft.Orleans", "Strongroom.Cluster"),
        ("Spectre.Console", "Strongroom"),
        ("System.CommandLine", "Strongroom"),
    ];

    [Fact]
    public void Every_project_has_a_floor()
    {
        Assert.NotEmpty(SourceTree.Projects);
        Assert.All(SourceTree.Projects, project => Assert.Contains(project.Name, Floors.Of.Keys));
    }

    [Fact]
    public void Every_reference_points_down()
    {
        var references = SourceTree.Projects.SelectMany(from => from.References.Select(to => (From: from.Name, To: to))).ToList();
        Assert.NotEmpty(references);
        Assert.Empty(references.Select(edge => Floors.Violation(edge.From, edge.To)).OfType<string>());
    }

    [Theory]
    [InlineData("Strongroom.Store", "Strongroom.Backup", "points up")]
    [InlineData("Strongroom.Api", "Strongroom.Metadata", "both are on floor 3")]
    [InlineData("Strongroom.Backup", "Strongroom.Shed", "has no floor")]
    [InlineData("Strongroom.Shed", "Strongroom.Store", "has no floor")]
    public void A_wrong_reference_is_named(string from, string to, string reason) =>
        Assert.Contains(reason, Floors.Violation(from, to), StringComparison.Ordinal);

    [Theory]
    [InlineData("Strongroom.Api", "Strongroom.Arm")]
    [InlineData("Strongroom", "Strongroom.Store")]
    public void A_reference_to_a_lower_floor_is_allowed(string from, string to) => Assert.Null(Floors.Violation(from, to));

    [Fact]
    public void A_wide_package_is_known_by_one_room_only()
    {
        var strays = from project in SourceTree.Projects
                     from use in project.Packages
                     from rule in OneRoomPackages
                     where use.Id.StartsWith(rule.PackagePrefix, StringComparison.Ordinal) && project.Name != rule.Room
                     select $"{project.Name} references {use.Id}, which belongs to {rule.Room}";
        Assert.Empty(strays);
    }

    [Fact]
    public void Every_project_has_tests()
    {
        // The executable is tested as a process, by the clients it is made for.
        var missing = SourceTree.Projects
            .Select(project => project.Name == "Strongroom" ? "Strongroom.Clients" : project.Name + ".Tests")
            .Where(tests => !File.Exists(Path.Combine(SourceTree.Root, "tests", tests, tests + ".csproj")));
        Assert.Empty(missing);
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var solution = File.ReadAllText(Path.Combine(SourceTree.Root, "Strongroom.slnx"));
        var missing = new[] { "src", "tests" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(SourceTree.Root, folder), "*.csproj", SearchOption.AllDirectories))
            .Select(path => Path.GetRelativePath(SourceTree.Root, path))
            .Where(path => !solution.Contains($"\"{path}\"", StringComparison.Ordinal));
        Assert.Empty(missing);
    }
}
