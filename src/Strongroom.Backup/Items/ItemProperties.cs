using System.Collections.Immutable;

namespace Strongroom.Backup.Items;

/// <summary>What jobs show of their items (<c>propertyBag</c>), in Azure's words.</summary>
internal static class ItemProperties
{
    /// <summary>The machine's name, or the share's with its account's, and what else the job tells.</summary>
    public static ImmutableSortedDictionary<string, string> Properties(this ProtectedItem item, params ReadOnlySpan<(string Key, string Value)> more)
    {
        var bag = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        if (item.Kind == ItemKind.FileShare)
        {
            bag["File Share Name"] = item.FriendlyName;
            bag["Storage Account Name"] = item.AccountName;
        }
        else
        {
            bag["VM Name"] = item.FriendlyName;
        }

        foreach (var (key, value) in more) bag[key] = value;
        return bag.ToImmutable();
    }
}
