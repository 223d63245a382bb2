using System.Globalization;

namespace Strongroom.Store.Collection;

/// <summary>Names a relocation table: the CONDEMN that it belongs to, and a random number, since a sweep may be tried several times.</summary>
internal readonly record struct RelocationTableId(long CondemnSequence, ulong Attempt)
{
    public const string Folder = "gc/";
    private const int NameLength = 40;

    public string Name => string.Create(CultureInfo.InvariantCulture, $"{Folder}{CondemnSequence:D20}-{Attempt:x16}");

    /// <summary>False when the name is not a table's.</summary>
    public static bool TryParse(string name, out RelocationTableId id)
    {
        id = default;
        if (name.Length != NameLength
            || !long.TryParse(name.AsSpan(3, 20), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)
            || !ulong.TryParse(name.AsSpan(24), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var attempt))
            return false;
        id = new(sequence, attempt);
        return id.Name == name;
    }
}
