namespace Strongroom.Store.Locations;

/// <summary>What the forms of a location have in common.</summary>
internal static class LocationText
{
    private const int GreatestPrefixLength = 500;

    /// <summary>Words that stand in what must not be written where other users of the machine see it.</summary>
    private static readonly string[] SecretParameters = ["sig", "key", "secret", "password", "token", "accountkey", "access_key", "secret_key"];

    public static StoreException Bad(string text, string why) =>
        new(StoreErrorKind.InvalidRequest, $"'{WithoutSecrets(text)}' is not a vault's location: {why}.");

    /// <summary>The parts between the slashes after the scheme, empty ones at the end left out.</summary>
    public static IReadOnlyList<string> Split(string text, out string query)
    {
        var rest = text[(text.IndexOf("://", StringComparison.Ordinal) + 3)..];
        var mark = rest.IndexOf('?', StringComparison.Ordinal);
        query = mark < 0 ? "" : rest[(mark + 1)..];
        rest = (mark < 0 ? rest : rest[..mark]).TrimEnd('/');
        return rest.Length == 0 ? [] : rest.Split('/');
    }

    /// <summary>What stands before the names of blobs: empty, or ending with a slash.</summary>
    public static string Prefix(string text, IEnumerable<string> parts)
    {
        var prefix = string.Concat(parts.Select(part => part + "/"));
        return prefix.Length > GreatestPrefixLength || prefix.Split('/').SkipLast(1).Any(part => part is "" or "." or ".." || !part.All(IsPlain))
            ? throw Bad(text, "the prefix is made of letters, digits, dots, dashes and underscores between single slashes")
            : prefix;
    }

    /// <summary>Arguments are seen by every user of the machine and kept in histories.</summary>
    public static void RefuseSecrets(string text, string query)
    {
        if (Split(text, out _) is [var first, ..] && first.Contains('@', StringComparison.Ordinal))
            throw Bad(text, "credentials do not belong here; set the environment's variables or files for them");
        if (query.Split('&').Any(parameter => SecretParameters.Contains(parameter.Split('=')[0].ToLowerInvariant())))
            throw Bad(text, "a signature or key does not belong here; set AZURE_STORAGE_SAS_TOKEN, AZURE_STORAGE_KEY or AWS_SECRET_ACCESS_KEY instead");
    }

    private static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_';

    /// <summary>For messages: what may be a secret is not repeated.</summary>
    private static string WithoutSecrets(string text)
    {
        var start = text.IndexOf("://", StringComparison.Ordinal);
        if (start < 0)
            return text;
        var mark = text.IndexOf('?', StringComparison.Ordinal);
        var shown = mark < 0 ? text : text[..mark] + "?...";
        var at = shown.IndexOf('@', StringComparison.Ordinal);
        return at < 0 ? shown : shown[..(start + 3)] + "..." + shown[at..];
    }
}
