using System.Text.RegularExpressions;

namespace Strongroom.Architecture.Tests;

public sealed partial class DocumentTests
{
    [Fact]
    public void The_readme_lists_every_document()
    {
        var readme = File.ReadAllText(Path.Combine(SourceTree.Root, "README.md"));
        var documents = Directory.EnumerateFiles(Path.Combine(SourceTree.Root, "docs"), "*.md").Select(Path.GetFileName).ToList();

        Assert.NotEmpty(documents);
        Assert.DoesNotContain(documents, name => !readme.Contains($"\n- [docs/{name}](docs/{name})", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_link_between_documents_leads_to_a_file()
    {
        string[] documents = [Path.Combine(SourceTree.Root, "README.md"), .. Directory.EnumerateFiles(Path.Combine(SourceTree.Root, "docs"), "*.md", SearchOption.AllDirectories)];
        var links = from document in documents
                    from Match link in Link().Matches(File.ReadAllText(document))
                    let target = link.Groups["path"].Value
                    select (Document: Path.GetRelativePath(SourceTree.Root, document), Target: target, Path: Path.Combine(Path.GetDirectoryName(document)!, target));
        var found = links.ToList();

        Assert.NotEmpty(found);
        Assert.Empty(found.Where(link => !Path.Exists(link.Path)).Select(link => $"{link.Document}: {link.Target}"));
    }

    /// <summary>A relative link; the part after # is left out.</summary>
    [GeneratedRegex(@"\]\((?!https?:|#)(?<path>[^)#\s]+)(#[^)\s]*)?\)")]
    private static partial Regex Link();
}
