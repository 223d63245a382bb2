using System.Diagnostics.CodeAnalysis;

namespace Strongroom.Backup.FileRecovery;

/// <summary>A host and, where it is said, a port: <c>backup.example</c>, <c>backup.example:443</c>, <c>10.0.0.1:443</c>, <c>[2001:db8::1]:443</c>.</summary>
/// <param name="Host">A name in ASCII, or an address; of IPv6 without brackets.</param>
public sealed record PortalAddress(string Host, int? Port)
{
    public static bool TryParse(string? text, [NotNullWhen(true)] out PortalAddress? address)
    {
        address = null;
        if (text is null || text.Length == 0 || text.Any(c => char.IsWhiteSpace(c) || c is '/' or '@' or '?' or '#' or '\\')) return false;
        if (!Uri.TryCreate($"strongroom://{text}", UriKind.Absolute, out var uri) || uri.IdnHost.Length == 0) return false;
        if (!uri.IsDefaultPort && uri.Port is < 1 or > 65535) return false;
        address = new(uri.IdnHost, uri.IsDefaultPort ? null : uri.Port);
        return true;
    }
}
