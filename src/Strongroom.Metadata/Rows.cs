namespace Strongroom.Metadata;

/// <summary>A row that carries its record as a JSON document beside its columns.</summary>
internal abstract class DocumentRow
{
    public required string Document { get; set; }
}

internal sealed class VaultRow : DocumentRow
{
    public Guid Key { get; set; }
    public required string SubscriptionKey { get; set; }
    public required string GroupKey { get; set; }
    public required string NameKey { get; set; }
    public long CreatedAt { get; set; }
    public long ChangedAt { get; set; }
}

internal sealed class PolicyRow : DocumentRow
{
    public Guid VaultKey { get; set; }
    public required string NameKey { get; set; }
}

internal sealed class ItemRow : DocumentRow
{
    public Guid Key { get; set; }
    public Guid VaultKey { get; set; }
    public required string NativeName { get; set; }
    public required string SourceKey { get; set; }
    public required string PolicyKey { get; set; }
    public int Version { get; set; }
    public long CreatedAt { get; set; }

    /// <summary>When it is to be looked at: ticks. Zero or less: at once, and less with every write, so that none is overlooked.</summary>
    public long DueAt { get; set; }
}

internal sealed class ContainerRow : DocumentRow
{
    public Guid VaultKey { get; set; }
    public required string NativeName { get; set; }
    public required string SourceKey { get; set; }
}

internal sealed class PointRow : DocumentRow
{
    public Guid ItemKey { get; set; }
    public required string Name { get; set; }
    public long Time { get; set; }
    public Guid SnapshotId { get; set; }
}

/// <summary>The result of a recovery point's verification; goes with the point.</summary>
internal sealed class VerificationRow : DocumentRow
{
    public Guid ItemKey { get; set; }
    public required string Name { get; set; }
    public long At { get; set; }

    /// <summary>PNG.</summary>
    public byte[]? Screenshot { get; set; }
}

internal sealed class JobRow : DocumentRow
{
    public Guid Id { get; set; }
    public Guid VaultKey { get; set; }
    public Guid ItemKey { get; set; }

    /// <summary>It goes on beside the one job that may change the item.</summary>
    public bool RunsBeside { get; set; }

    /// <summary>The truth about the state: a request to cancel changes this column alone.</summary>
    public required string State { get; set; }
    public long StartedAt { get; set; }
    public string? Owner { get; set; }

    /// <summary>Ticks of the real clock, never a tester's; null: free to claim.</summary>
    public long? LeaseUntil { get; set; }
    public long Fence { get; set; }
    public int Attempt { get; set; }
}

internal sealed class OperationRow : DocumentRow
{
    public Guid Id { get; set; }
    public Guid VaultKey { get; set; }
}

internal sealed class DiscoveryRow
{
    public Guid VaultKey { get; set; }
    public required string SourceKey { get; set; }
}

internal sealed class GroupRow : DocumentRow
{
    public required string SubscriptionKey { get; set; }
    public required string NameKey { get; set; }
}

internal sealed class ResourceRow : DocumentRow
{
    public required string IdKey { get; set; }
    public required string SubscriptionKey { get; set; }
    public required string GroupKey { get; set; }
    public required string TypeKey { get; set; }
}

internal sealed class RoleAssignmentRow : DocumentRow
{
    public Guid Name { get; set; }
    public Guid PrincipalId { get; set; }
    public required string ScopeKey { get; set; }
    public Guid RoleId { get; set; }
}

internal sealed class ActivityRow : DocumentRow
{
    /// <summary>Counts up: the order of the log.</summary>
    public long Number { get; set; }
    public long Time { get; set; }
    public required string ScopeKey { get; set; }
    public required string ActionKey { get; set; }
    public required string CorrelationKey { get; set; }
    public required string CallerKey { get; set; }
    public required string ClientKey { get; set; }
    public required string Status { get; set; }
}
