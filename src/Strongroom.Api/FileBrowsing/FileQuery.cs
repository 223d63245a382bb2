using Microsoft.AspNetCore.Http;
using Strongroom.Arm;
using Strongroom.Backup.FileRecovery.Browsing;

namespace Strongroom.Api.FileBrowsing;

/// <summary>The query of a request for files. Its path is read raw: names of files need not be UTF-8, which the framework's own reading takes for granted.</summary>
internal static class FileQuery
{
    /// <summary>The path; the root when there is none.</summary>
    /// <exception cref="ArmException">400: it is no path.</exception>
    public static FilePath Path(HttpRequest request)
    {
        string[] given = [.. Pairs(request).Where(static pair => IsNamed(pair, "path")).Select(static pair => pair[(pair.IndexOf('=', StringComparison.Ordinal) + 1)..])];
        if (given.Length == 0) return FilePath.Root;
        // As in forms, a plus sign is a space.
        return given is [var text] && FilePath.TryParse(text.Replace('+', ' '), out FilePath? path)
            ? path
            : throw ArmErrors.InvalidQueryParameter("path", "it must be one path that begins with '/', percent-encoded, without '.' and '..' in it");
    }

    /// <summary>The request's own URL with another token. Its path stays byte for byte.</summary>
    public static string NextLink(HttpRequest request, string token)
    {
        string query = string.Join('&', Pairs(request).Where(static pair => !IsNamed(pair, "$skipToken")).Append("$skipToken=" + token));
        return PublicUrl.For(request, request.Path, query);
    }

    private static string[] Pairs(HttpRequest request) => (request.QueryString.Value ?? "").TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries);

    private static bool IsNamed(string pair, string name) =>
        Uri.UnescapeDataString(pair.Split('=')[0]).Equals(name, StringComparison.OrdinalIgnoreCase);
}
