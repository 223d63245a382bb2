using Microsoft.EntityFrameworkCore;
using Strongroom.Backup.Verification;

namespace Strongroom.Metadata.Verification;

/// <inheritdoc cref="IPointVerificationRepository"/>
internal sealed class PointVerificationRepository(IDbContextFactory<StrongroomContext> contexts) : IPointVerificationRepository
{
    public async Task<PointVerification?> FindAsync(Guid itemKey, string pointName, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var document = await db.Verifications.Where(r => r.ItemKey == itemKey && r.Name == pointName).Select(r => r.Document).FirstOrDefaultAsync(cancellationToken);
        return document is null ? null : Documents.Read(document, Documents.Default.PointVerification);
    }

    public async Task<byte[]?> FindScreenshotAsync(Guid itemKey, string pointName, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Verifications.Where(r => r.ItemKey == itemKey && r.Name == pointName).Select(r => r.Screenshot).FirstOrDefaultAsync(cancellationToken);
    }

    public async Task<DateTimeOffset?> FindLastAsync(Guid itemKey, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var last = await db.Verifications.Where(r => r.ItemKey == itemKey).MaxAsync(r => (long?)r.At, cancellationToken);
        return last is { } ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;
    }

    /// <summary>Keeps a result in the place of an earlier one, if its point is there, and has the item looked at: a newer point may wait. In a transaction of the caller's.</summary>
    internal static async Task PutAsync(StrongroomContext db, Guid itemKey, VerificationOutcome outcome, CancellationToken cancellationToken)
    {
        var name = outcome.PointName;
        await db.Items.Where(r => r.Key == itemKey).ExecuteUpdateAsync(u => u.SetProperty(r => r.DueAt, r => r.DueAt > 0 ? 0 : r.DueAt - 1), cancellationToken);
        if (!await db.Points.AnyAsync(r => r.ItemKey == itemKey && r.Name == name, cancellationToken)) return;
        await db.Verifications.Where(r => r.ItemKey == itemKey && r.Name == name).ExecuteDeleteAsync(cancellationToken);
        db.Verifications.Add(new()
        {
            ItemKey = itemKey,
            Name = name,
            At = outcome.Result.At.UtcTicks,
            Document = Documents.Write(outcome.Result, Documents.Default.PointVerification),
            Screenshot = outcome.Screenshot.IsEmpty ? null : outcome.Screenshot.ToArray(),
        });
        await db.SaveChangesAsync(cancellationToken);
    }
}
