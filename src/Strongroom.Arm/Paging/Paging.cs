using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Strongroom.Arm;

/// <summary>What part of a list a request asks for.</summary>
/// <param name="Count">The largest number of items in the answer; at least 1.</param>
/// <param name="After">The key of the last item of the page before, or null for the first page.</param>
public readonly record struct PageRequest(int Count, string? After);

/// <summary>A part of a list, and the key that the next part begins after; null at the end.</summary>
public sealed record Page<T>(IReadOnlyList<T> Items, string? NextAfter);

/// <summary><c>$top</c>, <c>$skipToken</c> and <c>nextLink</c>.</summary>
/// <remarks>
/// A token holds the key of the last item that was sent, not a number of items: what is made or deleted between two pages
/// neither repeats nor hides the others. Its first byte is the version of its form.
/// </remarks>
public static class Paging
{
    /// <summary>The number of items in a page unless the request says less.</summary>
    public const int MaxPageSize = 1000;

    private const string Version = "1";

    /// <summary>Reads <c>$top</c> and <c>$skipToken</c> (any case).</summary>
    /// <exception cref="ArmException">400 when one is malformed.</exception>
    public static PageRequest Read(HttpRequest request, int maxPageSize = MaxPageSize)
    {
        string? top = request.Query["$top"];
        int count = maxPageSize;
        if (top is not null && (!int.TryParse(top, NumberStyles.None, CultureInfo.InvariantCulture, out count) || count < 1))
        {
            throw ArmErrors.InvalidQueryParameter("$top", "it must be a whole number from 1");
        }
        string? token = request.Query["$skipToken"];
        return new PageRequest(Math.Min(count, maxPageSize), token is null ? null : Decode(token));
    }

    /// <summary>Cuts the page out of all items, sorting them by key without case.</summary>
    /// <param name="all">The items, in any order.</param>
    /// <param name="key">Unique among the items without regard to case, and stable.</param>
    /// <param name="request">What <see cref="Read"/> gave.</param>
    public static Page<T> Take<T>(IEnumerable<T> all, Func<T, string> key, PageRequest request)
    {
        StringComparer order = StringComparer.OrdinalIgnoreCase;
        List<T> items = [.. all.Where(item => request.After is null || order.Compare(key(item), request.After) > 0).OrderBy(key, order).Take(request.Count + 1)];
        if (items.Count <= request.Count) return new Page<T>(items, null);
        items.RemoveAt(request.Count);
        return new Page<T>(items, key(items[^1]));
    }

    /// <summary>A page of a list that was read in its own order, up to one item more than the page holds.</summary>
    /// <param name="read">At most <see cref="PageRequest.Count"/> + 1 items.</param>
    /// <param name="key">What the next page begins after.</param>
    public static Page<T> Cut<T>(IReadOnlyList<T> read, Func<T, string> key, PageRequest request) => read.Count <= request.Count
        ? new Page<T>(read, null)
        : new Page<T>([.. read.Take(request.Count)], key(read[request.Count - 1]));

    /// <summary>The URL of the next page: this request's own, with the host the client used and another token; null at the end.</summary>
    public static string? NextLink(HttpRequest request, string? nextAfter)
    {
        if (nextAfter is null) return null;
        IEnumerable<string> query = request.Query
            .Where(static pair => !string.Equals(pair.Key, "$skipToken", StringComparison.OrdinalIgnoreCase))
            .SelectMany(static pair => pair.Value, static (pair, value) => $"{Escape(pair.Key)}={Uri.EscapeDataString(value ?? "")}")
            .Append($"$skipToken={Encode(nextAfter)}");
        return PublicUrl.For(request, request.Path) + "?" + string.Join('&', query);

        // '$' needs no escape in a query, and people read these links.
        static string Escape(string name) => Uri.EscapeDataString(name).Replace("%24", "$", StringComparison.Ordinal);
    }

    /// <summary>The refusal of a token that belongs to another list, or to none.</summary>
    public static ArmException Foreign() => ArmErrors.InvalidQueryParameter("$skipToken", "it is not one that this server gave out; start again with the first page");

    /// <summary>The token of the page that begins after a key.</summary>
    public static string Encode(string after) => WebEncoders.Base64UrlEncode(Encoding.UTF8.GetBytes(Version + after));

    private static string Decode(string token)
    {
        try
        {
            string text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(WebEncoders.Base64UrlDecode(token));
            if (text.StartsWith(Version, StringComparison.Ordinal)) return text[Version.Length..];
        }
        catch (Exception ex) when (ex is FormatException or ArgumentException)
        {
            // Falls through to the refusal below: the cause is always the same.
        }
        throw Foreign();
    }
}
