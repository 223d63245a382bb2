using Microsoft.EntityFrameworkCore;
using Strongroom.Arm;

namespace Strongroom.Metadata.Access;

/// <inheritdoc cref="IRoleAssignmentStore"/>
internal sealed class RoleAssignmentStore(IDbContextFactory<StrongroomContext> contexts) : IRoleAssignmentStore
{
    public async Task<RoleAssignment?> FindAsync(Guid name, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.RoleAssignments.AsNoTracking().FirstOrDefaultAsync(r => r.Name == name, cancellationToken) is { } row ? Read(row) : null;
    }

    public async Task<IReadOnlyList<RoleAssignment>> ListAsync(Guid? principalId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = db.RoleAssignments.AsNoTracking();
        if (principalId is { } principal) rows = rows.Where(r => r.PrincipalId == principal);
        return (await rows.OrderBy(r => r.Name).ToListAsync(cancellationToken)).ConvertAll(Read);
    }

    public async Task<AssignOutcome> PutAsync(RoleAssignment assignment, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (await db.RoleAssignments.FirstOrDefaultAsync(r => r.Name == assignment.Name, cancellationToken) is { } row)
        {
            var before = Read(row);
            if (before.PrincipalId != assignment.PrincipalId || before.RoleId != assignment.RoleId || before.Scope.Key() != assignment.Scope.Key()) return AssignOutcome.NameTaken;
            row.Document = Write(before with { Description = assignment.Description ?? before.Description });
            await db.SaveChangesAsync(cancellationToken);
            return AssignOutcome.Unchanged;
        }

        db.RoleAssignments.Add(new RoleAssignmentRow
        {
            Name = assignment.Name,
            PrincipalId = assignment.PrincipalId,
            ScopeKey = assignment.Scope.Key(),
            RoleId = assignment.RoleId,
            Document = Write(assignment),
        });
        if (await db.TrySaveUniqueAsync(cancellationToken)) return AssignOutcome.Created;
        // Which of the two was first there decides what the client is told.
        return await FindAsync(assignment.Name, cancellationToken) is null ? AssignOutcome.Duplicate : AssignOutcome.NameTaken;
    }

    public async Task<bool> DeleteAsync(Guid name, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.RoleAssignments.Where(r => r.Name == name).ExecuteDeleteAsync(cancellationToken) > 0;
    }

    public async Task<int> DeleteOfAsync(Guid principalId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.RoleAssignments.Where(r => r.PrincipalId == principalId).ExecuteDeleteAsync(cancellationToken);
    }

    public async Task<int> DeleteWithinAsync(string scope, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var (key, below) = (scope.Key(), scope.Key() + "/");
        return await db.RoleAssignments.Where(r => r.ScopeKey == key || r.ScopeKey.StartsWith(below)).ExecuteDeleteAsync(cancellationToken);
    }

    private static string Write(RoleAssignment assignment) => Documents.Write(assignment, Documents.Default.RoleAssignment);

    private static RoleAssignment Read(RoleAssignmentRow row) => Documents.Read(row.Document, Documents.Default.RoleAssignment);
}
