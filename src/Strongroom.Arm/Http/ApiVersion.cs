using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Strongroom.Arm;

/// <summary>A well-formed api-version: a date, and what may follow it (<c>-preview</c>). Immutable; orders by date, previews before their release.</summary>
public readonly record struct ApiVersion : IComparable<ApiVersion>
{
    private static readonly string[] s_suffixes = ["preview", "privatepreview", "alpha", "beta", "rc"];

    private ApiVersion(string text, DateOnly date, bool isPreview)
    {
        Text = text;
        Date = date;
        IsPreview = isPreview;
    }

    /// <summary>As the client wrote it; URLs handed out repeat it.</summary>
    public string Text { get; }

    public DateOnly Date { get; }

    /// <summary>True where anything follows the date.</summary>
    public bool IsPreview { get; }

    /// <summary>True for dates that exist, alone or followed by one of the suffixes Resource Manager knows.</summary>
    public static bool TryParse(string? text, out ApiVersion version)
    {
        version = default;
        if (text is null || text.Length < 10 || !DateOnly.TryParseExact(text.AsSpan(0, 10), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly date)) return false;
        bool isPreview = text.Length > 10;
        if (isPreview && (text[10] != '-' || !s_suffixes.Contains(text[11..], StringComparer.OrdinalIgnoreCase))) return false;
        version = new ApiVersion(text, date, isPreview);
        return true;
    }

    /// <summary>The version of this request.</summary>
    /// <exception cref="ArmException">400: missing, sent twice, or malformed.</exception>
    public static ApiVersion Of(HttpRequest request)
    {
        Microsoft.Extensions.Primitives.StringValues sent = request.Query["api-version"];
        if (string.IsNullOrWhiteSpace(sent)) throw ArmErrors.MissingApiVersionParameter();
        return TryParse(sent, out ApiVersion version) ? version : throw ArmErrors.InvalidApiVersionParameter(sent.ToString());
    }

    /// <summary>True when the version is this date or later, previews of that date included.</summary>
    public bool IsFrom(int year, int month, int day) => Date >= new DateOnly(year, month, day);

    public int CompareTo(ApiVersion other) => Date != other.Date ? Date.CompareTo(other.Date) : other.IsPreview.CompareTo(IsPreview);

    public override string ToString() => Text ?? "";

    public static bool operator <(ApiVersion left, ApiVersion right) => left.CompareTo(right) < 0;

    public static bool operator >(ApiVersion left, ApiVersion right) => left.CompareTo(right) > 0;

    public static bool operator <=(ApiVersion left, ApiVersion right) => left.CompareTo(right) <= 0;

    public static bool operator >=(ApiVersion left, ApiVersion right) => left.CompareTo(right) >= 0;
}
