using System.Buffers;

namespace Strongroom.Arm;

/// <summary>The rules for names, as Azure publishes them ("Naming rules and restrictions for Azure resources"). Pure functions.</summary>
public static class ResourceNames
{
    private const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const string Digits = "0123456789";

    private static readonly SearchValues<char> s_forbiddenInSegment = SearchValues.Create("/\\?#%<>");
    private static readonly SearchValues<char> s_alphanumericAndHyphen = SearchValues.Create(Letters + Digits + "-");
    private static readonly SearchValues<char> s_alphanumericHyphenDotUnderscore = SearchValues.Create(Letters + Digits + "-._");
    private static readonly SearchValues<char> s_lowerAlphanumeric = SearchValues.Create("abcdefghijklmnopqrstuvwxyz" + Digits);

    /// <summary>What may stand between two slashes of an id at all; not <c>.</c> or <c>..</c>, no control characters, at most 260 characters.</summary>
    public static bool IsSegment(string? text) =>
        text is { Length: > 0 and <= 260 } && text is not ("." or "..")
        && !text.AsSpan().ContainsAny(s_forbiddenInSegment) && IsWellFormed(text) && !string.IsNullOrWhiteSpace(text);

    /// <summary>1 to 90 letters or digits of any script, hyphens, underscores, dots or parentheses; the last is not a dot.</summary>
    public static bool IsResourceGroup(string? text) =>
        text is { Length: > 0 and <= 90 } && text[^1] != '.' && text.All(static c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.' or '(' or ')');

    /// <summary>2 to 50 letters, digits or hyphens; begins with a letter.</summary>
    public static bool IsVault(string? text) =>
        text is { Length: >= 2 and <= 50 } && char.IsAsciiLetter(text[0]) && !text.AsSpan().ContainsAnyExcept(s_alphanumericAndHyphen);

    /// <summary>3 to 24 lower-case letters or digits.</summary>
    public static bool IsStorageAccount(string? text) =>
        text is { Length: >= 3 and <= 24 } && !text.AsSpan().ContainsAnyExcept(s_lowerAlphanumeric);

    /// <summary>1 to 80 letters, digits, underscores, dots or hyphens; begins with a letter or digit, ends with one or an underscore. Disks, hosts.</summary>
    public static bool IsGeneralName(string? text) =>
        text is { Length: >= 1 and <= 80 } && char.IsAsciiLetterOrDigit(text[0]) && (char.IsAsciiLetterOrDigit(text[^1]) || text[^1] == '_')
        && !text.AsSpan().ContainsAnyExcept(s_alphanumericHyphenDotUnderscore);

    /// <summary>1 to 64 letters, digits, dots, hyphens or underscores; begins with a letter or digit, does not end with a dot or hyphen. Virtual machines.</summary>
    public static bool IsMachine(string? text) =>
        text is { Length: >= 1 and <= 64 } && char.IsAsciiLetterOrDigit(text[0]) && text[^1] is not ('.' or '-') && !text.AsSpan().ContainsAnyExcept(s_alphanumericHyphenDotUnderscore);

    /// <summary>True where the text has no control character and no half of a surrogate pair: such text cannot be stored or sent back.</summary>
    public static bool IsWellFormed(string text)
    {
        foreach (System.Text.Rune rune in text.EnumerateRunes())
        {
            if (System.Text.Rune.IsControl(rune)) return false;
            // EnumerateRunes replaces a lone surrogate by U+FFFD, which nobody types into a name either.
            if (rune == System.Text.Rune.ReplacementChar) return false;
        }
        return true;
    }
}
