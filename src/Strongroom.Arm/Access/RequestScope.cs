namespace Strongroom.Arm;

/// <summary>The scope that a path names: the resource itself, or what it is in when the path is a list or an action.</summary>
public static class RequestScope
{
    /// <param name="path">Absolute, in normal form. Nothing is looked up: the scope need not exist.</param>
    public static string Of(string path)
    {
        string[] parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        int provider = Array.FindLastIndex(parts, static part => part.Equals("providers", StringComparison.OrdinalIgnoreCase));
        int length = provider < 0 ? parts.Length / 2 * 2 : Below(parts.Length, provider);
        return "/" + string.Join('/', parts.Take(length));
    }

    /// <summary>Whether the path names a resource group, or a resource that is in a group and in no other resource.</summary>
    public static bool IsGroupOrResource(string path)
    {
        string[] parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return parts.Length is 4 or 8 && parts[2].Equals("resourceGroups", StringComparison.OrdinalIgnoreCase);
    }

    // Below a provider come pairs of type and name; a type alone is a list or an action, and a provider alone is no scope.
    private static int Below(int count, int provider)
    {
        int pairs = (count - provider - 2) / 2;
        return pairs <= 0 ? provider : provider + 2 + (pairs * 2);
    }
}
