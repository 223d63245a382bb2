using System.Text;

namespace Strongroom.Store.Trees;

/// <summary>Matches names and paths, as bytes, with the patterns of <see cref="TreeOptions.Excludes"/>. Immutable and thread-safe.</summary>
internal sealed class ExcludePatterns
{
    private readonly List<(byte[] Pattern, bool IsPath, bool FoldersOnly)> patterns = [];

    public ExcludePatterns(IReadOnlyList<string> excludes)
    {
        foreach (var exclude in excludes)
        {
            var text = exclude.AsSpan().TrimEnd('/');
            var isPath = text.Contains('/');
            text = text.TrimStart('/');
            if (text.IsEmpty)
                throw new StoreException(StoreErrorKind.InvalidRequest, $"The pattern '{exclude}' would leave out everything. Remove it.");
            patterns.Add((Encoding.UTF8.GetBytes(text.ToString()), isPath, exclude.EndsWith('/')));
        }
    }

    public bool IsEmpty => patterns.Count == 0;

    public bool Excludes(WalkedFolder folder, ReadOnlySpan<byte> name, bool isFolder)
    {
        foreach (var (pattern, isPath, foldersOnly) in patterns)
        {
            if ((isFolder || !foldersOnly) && Matches(pattern, isPath ? folder.PathOf(name).Bytes : name))
                return true;
        }

        return false;
    }

    /// <summary>Tries what follows a star at every place that the star may reach; of several stars only the last is ever tried again, unless it stops at a slash.</summary>
    internal static bool Matches(ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> text)
    {
        var (at, position) = (0, 0);
        var (starAt, starText) = (-1, 0);
        var (deepAt, deepText) = (-1, 0);
        while (position < text.Length)
        {
            if (at < pattern.Length && pattern[at] == '*')
            {
                if (at + 1 < pattern.Length && pattern[at + 1] == '*')
                {
                    at += 2;
                    (deepAt, deepText, starAt) = (at, position, -1);
                }
                else
                {
                    at++;
                    (starAt, starText) = (at, position);
                }
            }
            else if (at < pattern.Length && (pattern[at] == text[position] || (pattern[at] == '?' && text[position] != '/')))
            {
                at++;
                position++;
            }
            else if (starAt >= 0 && text[starText] != '/')
            {
                (at, position) = (starAt, ++starText);
            }
            else if (deepAt >= 0)
            {
                (at, position, starAt) = (deepAt, ++deepText, -1);
            }
            else
            {
                return false;
            }
        }

        while (at < pattern.Length && pattern[at] == '*')
            at++;
        return at == pattern.Length;
    }
}
