namespace Strongroom.Arm;

/// <summary>One write that was asked for: who, what, where, and what came of it. Immutable.</summary>
/// <param name="Id">Of this event alone.</param>
/// <param name="Time">When it was answered, UTC.</param>
/// <param name="Caller">Who asked.</param>
/// <param name="Action">The action of the endpoint.</param>
/// <param name="Scope">What it was done to.</param>
/// <param name="Method">The HTTP method.</param>
/// <param name="StatusCode">The HTTP status of the answer.</param>
/// <param name="CorrelationId">As the answer's header has it.</param>
/// <param name="OperationId">The request's own id.</param>
/// <param name="ClientRequestId">What the client called the request, or null.</param>
/// <param name="ClientAddress">Where it came from, or null.</param>
public sealed record ActivityEvent(
    Guid Id, DateTimeOffset Time, Caller Caller, string Action, string Scope, string Method, int StatusCode, string CorrelationId, string OperationId, string? ClientRequestId, string? ClientAddress)
{
    /// <summary>Accepted, Succeeded or Failed.</summary>
    public string Status => StatusCode switch { 202 => "Accepted", < 400 => "Succeeded", _ => "Failed" };
}

/// <summary>Which events are asked for; what is null does not matter.</summary>
/// <param name="SubscriptionId">Of the events' scopes.</param>
/// <param name="From">The first moment.</param>
/// <param name="Until">The last moment.</param>
public sealed record ActivityQuery(string SubscriptionId, DateTimeOffset From, DateTimeOffset Until)
{
    public string? ResourceGroup { get; init; }

    /// <summary>The scope itself, or one above it.</summary>
    public string? Scope { get; init; }

    public string? ProviderNamespace { get; init; }

    public string? CorrelationId { get; init; }

    /// <summary>Object id or application id.</summary>
    public string? Caller { get; init; }

    /// <summary>Accepted, Succeeded or Failed.</summary>
    public string? Status { get; init; }
}

/// <summary>Where events are kept. Safe for concurrent use.</summary>
public interface IActivityLog
{
    /// <summary>How long events are kept.</summary>
    static readonly TimeSpan Retention = TimeSpan.FromDays(90);

    /// <summary>Writes an event; it is durable when the task completes.</summary>
    Task AppendAsync(ActivityEvent activity, CancellationToken cancellationToken);

    /// <summary>The newest events first, each with its number in the log: those below <paramref name="before"/> (null: all), at most <paramref name="count"/>.</summary>
    Task<IReadOnlyList<(long Number, ActivityEvent Activity)>> ListAsync(ActivityQuery query, long? before, int count, CancellationToken cancellationToken);

    /// <summary>Removes what is older than <see cref="Retention"/>.</summary>
    Task<int> PruneAsync(DateTimeOffset now, CancellationToken cancellationToken);
}
