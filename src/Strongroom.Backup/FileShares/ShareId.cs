using System.Diagnostics.CodeAnalysis;
using Strongroom.Backup.Items;

namespace Strongroom.Backup.FileShares;

/// <summary>The ARM id of a storage account, taken apart.</summary>
public sealed record ShareAccountId(string SubscriptionId, string ResourceGroup, string Name)
{
    /// <summary>The ARM id.</summary>
    public string ResourceId => $"/subscriptions/{SubscriptionId}/resourceGroups/{ResourceGroup}/providers/Microsoft.Storage/storageAccounts/{Name}";

    /// <summary>Reads <c>/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.Storage/storageAccounts/{n}</c>, without regard to case.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ShareAccountId? id)
    {
        id = SourceIds.Read(text, "Microsoft.Storage/storageAccounts") is { } found ? Of(found) : null;
        return id is not null;
    }

    internal static ShareAccountId Of(Arm.ResourceId account) => new(account.SubscriptionId!, account.ResourceGroup!, account.Name);
}

/// <summary>The ARM id of a share, taken apart.</summary>
public sealed record ShareId(ShareAccountId Account, string Name)
{
    /// <summary>Reads <c>{account}/fileServices/default/shares/{n}</c>, without regard to case.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ShareId? id)
    {
        id = SourceIds.Read(text, "Microsoft.Storage/storageAccounts/fileServices/shares") is { Parent: { Parent: { } account } service } found
            && service.Name.Equals("default", StringComparison.OrdinalIgnoreCase)
            ? new(ShareAccountId.Of(account), found.Name)
            : null;
        return id is not null;
    }
}
