using Microsoft.EntityFrameworkCore;

namespace Strongroom.Metadata;

/// <summary>
/// The database. Each row holds, as columns, what is searched, ordered or constrained, and the rest of its record as one JSON document
/// (docs/adr/0002). Times are UTC ticks; keys of names are lower case, because Azure compares names without regard to case.
/// </summary>
public sealed class StrongroomContext(DbContextOptions<StrongroomContext> options) : DbContext(options)
{
    internal DbSet<VaultRow> Vaults => Set<VaultRow>();
    internal DbSet<PolicyRow> Policies => Set<PolicyRow>();
    internal DbSet<ItemRow> Items => Set<ItemRow>();
    internal DbSet<ContainerRow> Containers => Set<ContainerRow>();
    internal DbSet<PointRow> Points => Set<PointRow>();
    internal DbSet<VerificationRow> Verifications => Set<VerificationRow>();
    internal DbSet<JobRow> Jobs => Set<JobRow>();
    internal DbSet<OperationRow> Operations => Set<OperationRow>();
    internal DbSet<DiscoveryRow> Discoveries => Set<DiscoveryRow>();
    internal DbSet<GroupRow> Groups => Set<GroupRow>();
    internal DbSet<ResourceRow> Resources => Set<ResourceRow>();
    internal DbSet<RoleAssignmentRow> RoleAssignments => Set<RoleAssignmentRow>();
    internal DbSet<ActivityRow> Activities => Set<ActivityRow>();

    /// <summary>SQLite's json_extract: a member of a document, in a query; null where it is absent.</summary>
    internal static string? JsonText(string document, string path) => throw new NotSupportedException("It is translated into SQL.");

    protected override void OnModelCreating(ModelBuilder model)
    {
        model.HasDbFunction(((Func<string, string, string?>)JsonText).Method).HasName("json_extract").IsBuiltIn();
        model.Entity<VaultRow>(e =>
        {
            e.HasKey(r => r.Key);
            e.Property(r => r.Key).ValueGeneratedNever();
            e.HasIndex(r => new { r.SubscriptionKey, r.GroupKey, r.NameKey }).IsUnique();
        });
        model.Entity<PolicyRow>(e => e.HasKey(r => new { r.VaultKey, r.NameKey }));
        model.Entity<ItemRow>(e =>
        {
            e.HasKey(r => r.Key);
            e.Property(r => r.Key).ValueGeneratedNever();
            e.HasIndex(r => new { r.VaultKey, r.NativeName }).IsUnique();
            // A machine or a share is protected in one vault only; soft-deleted items still own it.
            e.HasIndex(r => r.SourceKey).IsUnique();
            e.HasIndex(r => r.DueAt);
        });
        model.Entity<ContainerRow>(e =>
        {
            e.HasKey(r => new { r.VaultKey, r.NativeName });
            // A storage account is registered with one vault only.
            e.HasIndex(r => r.SourceKey).IsUnique();
        });
        model.Entity<PointRow>(e =>
        {
            e.HasKey(r => new { r.ItemKey, r.Name });
            e.HasIndex(r => r.SnapshotId).IsUnique();
        });
        model.Entity<VerificationRow>(e =>
        {
            e.HasKey(r => new { r.ItemKey, r.Name });
            // Whatever deletes the point deletes this with it.
            e.HasOne<PointRow>().WithOne().HasForeignKey<VerificationRow>(r => new { r.ItemKey, r.Name }).OnDelete(DeleteBehavior.Cascade);
        });
        model.Entity<JobRow>(e =>
        {
            e.HasKey(r => r.Id);
            e.Property(r => r.Id).ValueGeneratedNever();
            e.HasIndex(r => new { r.VaultKey, r.StartedAt });
            // One live job per item, and one beside it: the rule that admission relies on.
            e.HasIndex(r => new { r.ItemKey, r.RunsBeside }).IsUnique().HasFilter("\"State\" IN ('InProgress', 'Cancelling')").HasDatabaseName("IX_Jobs_OneLivePerItem");
        });
        model.Entity<OperationRow>(e =>
        {
            e.HasKey(r => r.Id);
            e.Property(r => r.Id).ValueGeneratedNever();
            e.HasIndex(r => r.VaultKey);
        });
        model.Entity<DiscoveryRow>(e => e.HasKey(r => new { r.VaultKey, r.SourceKey }));
        model.Entity<GroupRow>(e => e.HasKey(r => new { r.SubscriptionKey, r.NameKey }));
        model.Entity<ResourceRow>(e =>
        {
            e.HasKey(r => r.IdKey);
            e.HasIndex(r => new { r.SubscriptionKey, r.GroupKey, r.TypeKey });
        });
        model.Entity<RoleAssignmentRow>(e =>
        {
            e.HasKey(r => r.Name);
            e.Property(r => r.Name).ValueGeneratedNever();
            // A principal has a role over a scope once; the index also finds the assignments of a caller.
            e.HasIndex(r => new { r.PrincipalId, r.ScopeKey, r.RoleId }).IsUnique();
        });
        model.Entity<ActivityRow>(e =>
        {
            e.HasKey(r => r.Number);
            e.HasIndex(r => r.Time);
        });
    }
}
