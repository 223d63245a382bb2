namespace Strongroom.Arm;

/// <summary>The scope that a path names: the resource itself, or what it is in when the path is a list or an action.</summary>
public static class RequestScope
{
    /// <param name="path">Absolute, in normal form. Nothing is looked up: the scope need not exist.</param>
    public static string Of(string path)
    {
        string[] parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        int provider = LastProvider(parts);
        int length = provider < 0 ? parts.Length / 2 * 2 : Below(parts.Length, provider);
        return "/" + string.Join('/', parts.Take(length));
    }

    /// <summary>Whether the path names a resource group, or a resource that is in a group and in no other resource.</summary>
    public static bool IsGroupOrResource(string path)
    {
        string[] parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return parts.Length is 4 or 8 && parts[2].Equals("resourceGroups", StringComparison.OrdinalIgnoreCase);
    }

    // A scope is pairs of a word and a name, so that a word has an even place: a group or a resource may be called "providers" too.
    private static int LastProvider(string[] parts)
    {
        for (int i = (parts.Length - 1) / 2 * 2; i >= 0; i -= 2)
        {
            if (parts[i].Equals("providers", StringComparison.OrdinalIgnoreCase)) return i;
        }
        return -1;
    }

    // Below a provider come pairs of type and name; a type alone is a list or an action, and a provider alone is no scope.
    private static int Below(int count, int provider)
    {
        int pairs = (count - provider - 2) / 2;
        return pairs <= 0 ? provider : provider + 2 + (pairs * 2);
    }
}
