using System.Xml.Linq;

namespace Strongroom.Architecture.Tests;

/// <summary>The repository as it lies on the disk: found by walking up from the test's own folder.</summary>
internal static class SourceTree
{
    public static string Root { get; } = FindRoot();

    public static string Source => Path.Combine(Root, "src");

    /// <summary>The projects below src, by name.</summary>
    public static IReadOnlyList<Project> Projects { get; } =
        [.. Directory.EnumerateFiles(Path.Combine(FindRoot(), "src"), "*.csproj", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal).Select(Project.Read)];

    /// <summary>Source files, relative to the root; what a tool writes (migrations) is left out.</summary>
    public static IEnumerable<string> SourceFiles(params string[] extensions) =>
        Directory.EnumerateFiles(Source, "*", SearchOption.AllDirectories)
            .Where(file => extensions.Contains(Path.GetExtension(file)))
            .Select(file => Path.GetRelativePath(Root, file))
            .Where(file => !file.Split('/').Any(part => part is "bin" or "obj" or "Migrations" or "node_modules"))
            .Order(StringComparer.Ordinal);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Strongroom.slnx")))
                return folder.FullName;
        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds Strongroom.slnx.");
    }
}

/// <summary>A project file: its name, the projects and the packages it names.</summary>
internal sealed record Project(string Name, IReadOnlyList<string> References, IReadOnlyList<PackageUse> Packages)
{
    public static Project Read(string path)
    {
        var xml = XDocument.Load(path);
        return new Project(
            Path.GetFileNameWithoutExtension(path),
            [.. Items(xml, "ProjectReference").Select(name => Path.GetFileNameWithoutExtension(name.Replace('\\', '/')))],
            [.. xml.Descendants("PackageReference").Where(use => use.Attribute("Include") is not null)
                .Select(use => new PackageUse(use.Attribute("Include")!.Value, use.Attribute("Version")?.Value ?? use.Attribute("VersionOverride")?.Value))]);
    }

    private static IEnumerable<string> Items(XDocument xml, string element) =>
        xml.Descendants(element).Select(item => item.Attribute("Include")?.Value).OfType<string>();
}

/// <summary>A package named by a project, with the version if the project itself states one.</summary>
internal sealed record PackageUse(string Id, string? Version);
