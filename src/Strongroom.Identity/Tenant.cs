namespace Strongroom.Identity;

/// <summary>The names under which clients ask for the one tenant.</summary>
internal static class Tenant
{
    /// <summary>Whether a path's tenant means ours: its id, or one of the names that stand for any tenant.</summary>
    public static bool IsOurs(string tenant, IdentityOptions options) =>
        (Guid.TryParseExact(tenant, "D", out var id) && id == options.TenantId)
        || tenant.Equals("common", StringComparison.OrdinalIgnoreCase)
        || tenant.Equals("organizations", StringComparison.OrdinalIgnoreCase);

    /// <summary>The issuer of all our tokens, as a client that used <paramref name="origin"/> sees it.</summary>
    public static string Issuer(string origin, IdentityOptions options) => $"{origin}/{options.TenantId:D}/v2.0";
}
