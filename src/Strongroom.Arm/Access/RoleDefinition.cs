using System.IO.Enumeration;

namespace Strongroom.Arm;

/// <summary>What those may do to whom a role is assigned. Immutable.</summary>
/// <param name="Id">The published GUID.</param>
/// <param name="RoleName">As people read it; unique without regard to case.</param>
/// <param name="Description">One sentence.</param>
/// <param name="Actions">Patterns, in which <c>*</c> stands for any text, slashes included.</param>
/// <param name="NotActions">Patterns of what is taken out of <paramref name="Actions"/> again. Another role may still grant it.</param>
public sealed record RoleDefinition(Guid Id, string RoleName, string Description, IReadOnlyList<string> Actions, IReadOnlyList<string> NotActions)
{
    /// <summary>Whether the role grants an action. Names are compared without case.</summary>
    public bool Allows(string action) => Actions.Any(pattern => Matches(pattern, action)) && !NotActions.Any(pattern => Matches(pattern, action));

    private static bool Matches(string pattern, string action) => FileSystemName.MatchesSimpleExpression(pattern, action, ignoreCase: true);
}
