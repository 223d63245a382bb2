using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Strongroom.Metadata;

internal static class UniqueSaves
{
    private const int SqliteConstraintUnique = 2067;
    private const int SqliteConstraintPrimaryKey = 1555;

    /// <summary>Saves; false when a unique index refused a row, so that the database and not a look beforehand decides who is first.</summary>
    public static async Task<bool> TrySaveUniqueAsync(this DbContext db, CancellationToken cancellationToken)
    {
        try
        {
            await db.SaveChangesAsync(cancellationToken);
            return true;
        }
        catch (DbUpdateException e) when (e.InnerException is SqliteException { SqliteExtendedErrorCode: SqliteConstraintUnique or SqliteConstraintPrimaryKey })
        {
            return false;
        }
    }
}
