namespace Strongroom.Store;

/// <summary>What a blob may be called (<c>docs/store-format.md</c> section 1): parts of <c>[a-z0-9.-]</c> between slashes.</summary>
public static class BlobName
{
    /// <summary>The longest name in characters; every back end takes it, with room for the vault's own prefix.</summary>
    public const int GreatestLength = 200;

    /// <summary>True for a name that every back end takes as it is: no empty part, none that begins with a dot.</summary>
    public static bool IsValid(ReadOnlySpan<char> name)
    {
        if (name.Length is 0 or > GreatestLength)
            return false;
        var isPartStart = true;
        foreach (var c in name)
        {
            if (c == '/' ? isPartStart : !IsNameCharacter(c) || (isPartStart && c == '.'))
                return false;
            isPartStart = c == '/';
        }

        return !isPartStart;
    }

    /// <summary>True for what a list may be asked for: nothing at all, or valid parts that end with a slash.</summary>
    public static bool IsValidPrefix(ReadOnlySpan<char> prefix) => prefix.Length == 0 || (prefix[^1] == '/' && IsValid(prefix[..^1]));

    /// <exception cref="ArgumentException">It is no name: a mistake of the program, not of the vault.</exception>
    public static void Require(string name)
    {
        if (!IsValid(name))
            throw new ArgumentException($"'{name}' is not a blob name.", nameof(name));
    }

    /// <exception cref="ArgumentException">It is no prefix.</exception>
    public static void RequirePrefix(string prefix)
    {
        if (!IsValidPrefix(prefix))
            throw new ArgumentException($"'{prefix}' is not the beginning of blob names: it has to end with a slash.", nameof(prefix));
    }

    private static bool IsNameCharacter(char c) => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-' or '.';
}
