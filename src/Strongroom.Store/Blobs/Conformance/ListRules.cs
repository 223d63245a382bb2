using System.Globalization;

namespace Strongroom.Store.Blobs.Conformance;

/// <summary>A list is complete, in order, and of its prefix alone.</summary>
internal static class ListRules
{
    public static IReadOnlyList<ConformanceRule> All { get; } =
    [
        new("list-prefix", "A list holds what is below its prefix, at any depth, and nothing else.", PrefixAsync),
        new("list-order", "A list is ordered by name, as bytes.", OrderAsync),
        new("list-pages", "A long list holds each blob once, with its length, whatever the pages are.", PagesAsync),
    ];

    private static async Task PrefixAsync(Scratch scratch, CancellationToken cancellationToken)
    {
        foreach (var name in (string[])["a/1", "a/b/2", "a/b/c/3", "ab/4", "a-/5", "b/6", "a.7"])
            await scratch.PutAsync(name, new byte[name.Length], cancellationToken);
        await RequireAsync("a/", ["a/1", "a/b/2", "a/b/c/3"]);
        await RequireAsync("a/b/", ["a/b/2", "a/b/c/3"]);
        await RequireAsync("b/", ["b/6"]);
        await RequireAsync("absent/", []);
        await RequireAsync("a/1/", []);

        async Task RequireAsync(string prefix, string[] names)
        {
            var found = await scratch.ListAsync(prefix, cancellationToken);
            Scratch.Require(
                found.OrderBy(blob => blob.Name, StringComparer.Ordinal).SequenceEqual(names.Select(name => new BlobInfo(name, name.Length))),
                $"The list of '{prefix}' is: {string.Join(", ", found.Select(blob => $"{blob.Name} ({blob.LengthBytes})"))}.");
        }
    }

    private static async Task OrderAsync(Scratch scratch, CancellationToken cancellationToken)
    {
        string[] names = ["z", "10", "9", "a/x/2", "a/x/10", "a-b", "a.b", "ab", "a0", "-x"];
        foreach (var name in names)
            await scratch.PutAsync(name, new byte[1], cancellationToken);
        var found = (await scratch.ListAsync("", cancellationToken)).ConvertAll(blob => blob.Name);
        Scratch.Require(found.SequenceEqual(names.Order(StringComparer.Ordinal)), $"A list has the order {string.Join(", ", found)}.");
    }

    private static async Task PagesAsync(Scratch scratch, CancellationToken cancellationToken)
    {
        var names = Enumerable.Range(0, scratch.Options.ListedBlobs).Select(i => $"{i % 7}/{i.ToString("d8", CultureInfo.InvariantCulture)}").Order(StringComparer.Ordinal).ToList();
        await Parallel.ForEachAsync(
            names,
            new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = cancellationToken },
            async (name, token) => await scratch.PutAsync(name, new byte[name[^1] - '0'], token));
        var found = await scratch.ListAsync("", cancellationToken);
        Scratch.Require(found.Count == names.Count, $"A list of {names.Count} blobs holds {found.Count}.");
        Scratch.Require(found.SequenceEqual(names.Select(name => new BlobInfo(name, name[^1] - '0'))), "A list that came in pages has other names, lengths or another order than was created.");
    }
}
