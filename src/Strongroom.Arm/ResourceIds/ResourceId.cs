using System.Diagnostics.CodeAnalysis;

namespace Strongroom.Arm;

/// <summary>The id of something Azure Resource Manager knows: a subscription, a resource group, a resource or an extension of one.</summary>
/// <remarks>
/// Immutable. Two ids are equal when they differ in case only. The words <c>subscriptions</c>, <c>resourceGroups</c> and
/// <c>providers</c> always come back in exactly that spelling, because clients search ids for them case-sensitively;
/// everything else keeps the case it was given.
/// Source: Azure Resource Manager, "resourceId" template function, forms of resource ids.
/// </remarks>
public sealed class ResourceId : IEquatable<ResourceId>
{
    /// <summary>The longest id accepted, in characters.</summary>
    public const int MaxLength = 2048;

    private readonly string _text;

    private ResourceId(ResourceId? parent, string? providerNamespace, string typeName, string name, string text)
    {
        Parent = parent;
        ProviderNamespace = providerNamespace;
        TypeName = typeName;
        Name = name;
        _text = text;
    }

    /// <summary>The resource this one is nested in or extends, else its group, its subscription, or null at tenant level.</summary>
    public ResourceId? Parent { get; }

    /// <summary>The provider, such as <c>Microsoft.Compute</c>; null for a subscription and a resource group.</summary>
    public string? ProviderNamespace { get; }

    /// <summary>The last word of the type, such as <c>virtualMachines</c>.</summary>
    public string TypeName { get; }

    /// <summary>The last name in the id.</summary>
    public string Name { get; }

    /// <summary>The whole type, such as <c>Microsoft.Compute/virtualMachines</c> or <c>Microsoft.RecoveryServices/vaults/backupPolicies</c>.</summary>
    public string Type => ProviderNamespace is null
        ? "Microsoft.Resources/" + TypeName
        : IsNested ? $"{Parent!.Type}/{TypeName}" : $"{ProviderNamespace}/{TypeName}";

    /// <summary>The subscription, or null at tenant level.</summary>
    public string? SubscriptionId => Find("subscriptions")?.Name;

    /// <summary>The resource group, or null for what lies outside one.</summary>
    public string? ResourceGroup => Find("resourceGroups")?.Name;

    /// <summary>True where the resource is a child of another one of the same provider, written without a second <c>/providers/</c>.</summary>
    public bool IsNested { get; private init; }

    /// <summary>The id of a subscription.</summary>
    public static ResourceId ForSubscription(string subscriptionId) =>
        new(null, null, "subscriptions", Checked(subscriptionId), "/subscriptions/" + subscriptionId);

    /// <summary>The id of a resource group.</summary>
    public static ResourceId ForGroup(string subscriptionId, string resourceGroup) => ForGroup(ForSubscription(subscriptionId), resourceGroup);

    /// <summary>The id of a resource in a group.</summary>
    /// <exception cref="ArgumentException">A part is not usable in an id.</exception>
    public static ResourceId ForResource(string subscriptionId, string resourceGroup, string providerNamespace, string type, string name) =>
        ForScope(ForGroup(subscriptionId, resourceGroup), providerNamespace, type, name);

    /// <summary>The id of a resource directly below <paramref name="scope"/> (null: the tenant), an extension where that is a resource.</summary>
    /// <exception cref="ArgumentException">A part is not usable in an id.</exception>
    public static ResourceId ForScope(ResourceId? scope, string providerNamespace, string type, string name) =>
        new(scope, Checked(providerNamespace), Checked(type), Checked(name), $"{scope?._text}/providers/{providerNamespace}/{type}/{name}");

    /// <summary>The id of a child of this resource.</summary>
    /// <exception cref="ArgumentException">A part is not usable in an id.</exception>
    /// <exception cref="InvalidOperationException">This is a subscription or a resource group.</exception>
    public ResourceId Child(string type, string name)
    {
        if (ProviderNamespace is null) throw new InvalidOperationException("Only a resource has child resources.");
        return new(this, ProviderNamespace, Checked(type), Checked(name), $"{_text}/{type}/{name}") { IsNested = true };
    }

    /// <summary>Reads an id; repeated slashes count as one and a trailing one is ignored.</summary>
    /// <exception cref="FormatException">It is not an id.</exception>
    public static ResourceId Parse(string text) =>
        TryParse(text, out ResourceId? id) ? id : throw new FormatException($"'{text}' is not a resource id.");

    /// <summary>Reads an id; false when it is not one (null, a collection, a bad segment, too long).</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out ResourceId? id)
    {
        id = null;
        if (text is null || text.Length > MaxLength || !text.StartsWith('/')) return false;
        string[] parts = text.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (!Array.TrueForAll(parts, ResourceNames.IsSegment)) return false;

        int at = 0;
        if (Matches(parts, at, "subscriptions"))
        {
            id = ForSubscription(parts[1]);
            at = 2;
            if (Matches(parts, at, "resourceGroups"))
            {
                id = ForGroup(id, parts[3]);
                at = 4;
            }
        }

        while (at < parts.Length)
        {
            bool opens = Is(parts[at], "providers");
            if (opens ? parts.Length - at < 4 : id?.ProviderNamespace is null || parts.Length - at < 2)
            {
                id = null;
                return false;
            }
            id = opens ? ForScope(id, parts[at + 1], parts[at + 2], parts[at + 3]) : id!.Child(parts[at], parts[at + 1]);
            at += opens ? 4 : 2;
        }
        return id is not null;
    }

    /// <summary>True when this id is of the type, compared without case.</summary>
    public bool IsOfType(string type) => Is(Type, type);

    /// <summary>True when this id is <paramref name="scope"/> or lies somewhere below it.</summary>
    public bool IsWithin(ResourceId scope)
    {
        for (ResourceId? id = this; id is not null; id = id.Parent)
        {
            if (id.Equals(scope)) return true;
        }
        return false;
    }

    public bool Equals(ResourceId? other) => other is not null && Is(_text, other._text);

    public override bool Equals(object? obj) => Equals(obj as ResourceId);

    public override int GetHashCode() => StringComparer.OrdinalIgnoreCase.GetHashCode(_text);

    public override string ToString() => _text;

    public static bool operator ==(ResourceId? left, ResourceId? right) => left is null ? right is null : left.Equals(right);

    public static bool operator !=(ResourceId? left, ResourceId? right) => !(left == right);

    private static ResourceId ForGroup(ResourceId subscription, string resourceGroup) =>
        new(subscription, null, "resourceGroups", Checked(resourceGroup), $"{subscription._text}/resourceGroups/{resourceGroup}");

    private ResourceId? Find(string scopeType)
    {
        ResourceId? id = this;
        while (id is not null && (id.ProviderNamespace is not null || id.TypeName != scopeType)) id = id.Parent;
        return id;
    }

    private static bool Matches(string[] parts, int at, string word) => parts.Length >= at + 2 && Is(parts[at], word);

    private static bool Is(string left, string right) => string.Equals(left, right, StringComparison.OrdinalIgnoreCase);

    private static string Checked(string segment) =>
        ResourceNames.IsSegment(segment) ? segment : throw new ArgumentException($"'{segment}' cannot be part of a resource id.", nameof(segment));
}
