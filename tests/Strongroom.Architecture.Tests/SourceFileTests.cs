namespace Strongroom.Architecture.Tests;

public sealed class SourceFileTests
{
    private const int LongestFileLines = 600;

    /// <summary>Folders are features; these names say how code is sorted and not what it does.</summary>
    private static readonly string[] BannedFolderNames =
        ["Helpers", "Services", "Managers", "Utils", "Utilities", "Misc", "Extensions", "Models", "Interfaces", "Abstractions"];

    private static readonly string[] BannedWords = ["TODO", "FIXME", "NotImplementedException"];

    [Fact]
    public void No_file_is_longer_than_600_lines()
    {
        var files = SourceTree.SourceFiles(".cs", ".razor", ".css", ".js").ToList();
        Assert.NotEmpty(files);
        Assert.Empty(files
            .Select(file => (Name: file, Lines: File.ReadLines(Path.Combine(SourceTree.Root, file)).Count()))
            .Where(file => file.Lines > LongestFileLines)
            .Select(file => $"{file.Name} has {file.Lines} lines"));
    }

    [Fact]
    public void Nothing_is_left_undone_in_the_source()
    {
        var found = from file in SourceTree.SourceFiles(".cs", ".razor", ".csproj", ".js", ".css")
                    from line in File.ReadLines(Path.Combine(SourceTree.Root, file)).Index()
                    from word in BannedWords
                    where line.Item.Contains(word, StringComparison.Ordinal)
                    select $"{file}:{line.Index + 1} says {word}";
        Assert.Empty(found);
    }

    [Fact]
    public void Folders_are_features()
    {
        var found = SourceTree.SourceFiles(".cs", ".razor")
            .Select(file => Path.GetDirectoryName(file)!)
            .Distinct()
            .Where(folder => folder.Split('/').Any(part => BannedFolderNames.Contains(part, StringComparer.OrdinalIgnoreCase)));
        Assert.Empty(found);
    }
}
