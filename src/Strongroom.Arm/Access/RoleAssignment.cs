namespace Strongroom.Arm;

/// <summary>One role of one principal, over a scope and everything below it. Immutable.</summary>
/// <param name="Name">A GUID, unique in the installation.</param>
/// <param name="Scope">A subscription, a group or a resource, as it was written; compared without case.</param>
/// <param name="RoleId">Which role.</param>
/// <param name="PrincipalId">Whose: the object id (<c>oid</c>) of tokens.</param>
/// <param name="PrincipalType">What clients said it is, such as <c>ServicePrincipal</c>.</param>
/// <param name="CreatedAt">UTC.</param>
/// <param name="CreatedBy">The object id of who assigned it; null: the server itself, or its operator.</param>
public sealed record RoleAssignment(Guid Name, string Scope, Guid RoleId, Guid PrincipalId, string PrincipalType, DateTimeOffset CreatedAt, Guid? CreatedBy)
{
    /// <summary>For people.</summary>
    public string? Description { get; init; }

    /// <summary>True for what the server itself vouches for: it is not stored and cannot be taken away.</summary>
    public bool IsStanding { get; init; }

    public ResourceId Id => ResourceId.ForScope(ResourceId.Parse(Scope), "Microsoft.Authorization", "roleAssignments", Name.ToString());

    /// <summary>Whether the assignment reaches a scope: its own, or one below.</summary>
    public bool Covers(string scope) => IsWithin(scope, Scope);

    /// <summary>Whether <paramref name="scope"/> is <paramref name="above"/> or below it. Segments are compared whole, without case.</summary>
    public static bool IsWithin(string scope, string above) =>
        scope.StartsWith(above, StringComparison.OrdinalIgnoreCase) && (scope.Length == above.Length || scope[above.Length] == '/');
}

/// <summary>What became of an assignment.</summary>
public enum AssignOutcome
{
    Created,

    /// <summary>The same assignment is there already, under this name.</summary>
    Unchanged,

    /// <summary>The principal has the role over that scope already, under another name.</summary>
    Duplicate,

    /// <summary>The name is taken by another assignment, of which nothing but the description may change.</summary>
    NameTaken,
}

/// <summary>Where role assignments are kept. Safe for concurrent use, also by several processes; each write is durable when its task completes.</summary>
public interface IRoleAssignmentStore
{
    Task<RoleAssignment?> FindAsync(Guid name, CancellationToken cancellationToken);

    /// <summary>Those of one principal, or all; by their names.</summary>
    Task<IReadOnlyList<RoleAssignment>> ListAsync(Guid? principalId, CancellationToken cancellationToken);

    /// <summary>Adds an assignment, or changes the description of the same one.</summary>
    Task<AssignOutcome> PutAsync(RoleAssignment assignment, CancellationToken cancellationToken);

    /// <summary>Removes one; false when there is none of that name.</summary>
    Task<bool> DeleteAsync(Guid name, CancellationToken cancellationToken);

    /// <summary>Removes all of one principal, and tells how many there were.</summary>
    Task<int> DeleteOfAsync(Guid principalId, CancellationToken cancellationToken);

    /// <summary>Removes all over a scope and what is below it, which are no more.</summary>
    Task<int> DeleteWithinAsync(string scope, CancellationToken cancellationToken);
}
