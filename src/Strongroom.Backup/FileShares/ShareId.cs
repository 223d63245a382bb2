using System.Diagnostics.CodeAnalysis;

namespace Strongroom.Backup.FileShares;

/// <summary>The ARM id of a storage account, taken apart.</summary>
public sealed record ShareAccountId(string SubscriptionId, string ResourceGroup, string Name)
{
    /// <summary>The ARM id.</summary>
    public string ResourceId => $"/subscriptions/{SubscriptionId}/resourceGroups/{ResourceGroup}/providers/Microsoft.Storage/storageAccounts/{Name}";

    /// <summary>Reads <c>/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.Storage/storageAccounts/{n}</c>, without regard to case.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ShareAccountId? id)
    {
        id = null;
        // Clients double the slash before the name.
        var parts = (text ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length != 8 || !Is(parts[0], "subscriptions") || !Is(parts[2], "resourceGroups") || !Is(parts[4], "providers")
            || !Is(parts[5], "Microsoft.Storage") || !Is(parts[6], "storageAccounts"))
            return false;
        id = new(parts[1], parts[3], parts[7]);
        return true;
    }

    internal static bool Is(string part, string word) => part.Equals(word, StringComparison.OrdinalIgnoreCase);
}

/// <summary>The ARM id of a share, taken apart.</summary>
public sealed record ShareId(ShareAccountId Account, string Name)
{
    private const int AccountParts = 8;

    /// <summary>Reads <c>{account}/fileServices/default/shares/{n}</c>, without regard to case.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ShareId? id)
    {
        id = null;
        var parts = (text ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length != AccountParts + 4 || !ShareAccountId.Is(parts[8], "fileServices") || !ShareAccountId.Is(parts[9], "default") || !ShareAccountId.Is(parts[10], "shares")
            || !ShareAccountId.TryParse("/" + string.Join('/', parts[..AccountParts]), out var account))
            return false;
        id = new(account, parts[11]);
        return true;
    }
}
