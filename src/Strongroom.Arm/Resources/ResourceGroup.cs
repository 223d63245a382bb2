namespace Strongroom.Arm;

/// <summary>A resource group as it is stored. Immutable; the name and location never change after it was made.</summary>
/// <param name="SubscriptionId">A GUID.</param>
/// <param name="Name">In the case it was made with; compared without case.</param>
/// <param name="Location">The canonical name of a location.</param>
/// <param name="Tags">Names are unique without regard to case.</param>
/// <param name="CreatedAt">UTC.</param>
/// <param name="ChangedAt">UTC.</param>
/// <param name="ManagedBy">The id of what manages the group, or null.</param>
public sealed record ResourceGroup(
    string SubscriptionId,
    string Name,
    string Location,
    IReadOnlyDictionary<string, string> Tags,
    DateTimeOffset CreatedAt,
    DateTimeOffset ChangedAt,
    string? ManagedBy = null)
{
    public ResourceId Id => ResourceId.ForGroup(SubscriptionId, Name);
}
