using Microsoft.EntityFrameworkCore;
using Strongroom.Backup.Operations;

namespace Strongroom.Metadata.Operations;

/// <inheritdoc cref="IOperationRepository"/>
internal sealed class OperationRepository(IDbContextFactory<StrongroomContext> contexts) : IOperationRepository
{
    public async Task AddAsync(AsyncOperation operation, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        db.Operations.Add(new OperationRow
        {
            Id = operation.Id,
            VaultKey = operation.VaultKey,
            Document = Documents.Write(operation, Documents.Default.AsyncOperation),
        });
        await db.SaveChangesAsync(cancellationToken);
    }

    public async Task<AsyncOperation?> FindAsync(Guid vaultKey, Guid operationId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var row = await db.Operations.AsNoTracking().FirstOrDefaultAsync(r => r.Id == operationId && r.VaultKey == vaultKey, cancellationToken);
        return row is null ? null : Documents.Read(row.Document, Documents.Default.AsyncOperation);
    }
}
